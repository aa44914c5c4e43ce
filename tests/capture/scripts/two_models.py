"""Two models one after the other, as a tutorial has it: the first is trained whole, of the second the head."""
import torch
from torch import nn, optim
from torch.utils.data import DataLoader
from torchvision import datasets, models, transforms

torch.manual_seed(0)
tf = transforms.Compose([transforms.Resize((32, 32)), transforms.ToTensor(), transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])
loaders = {split: DataLoader(datasets.ImageFolder(f"data/{split}", tf), 8, shuffle=split == "train") for split in ("train", "val")}


def fit(model, optimizer, epochs=3):
    criterion, best = nn.CrossEntropyLoss(), 0.0
    for epoch in range(epochs):
        for phase in ("train", "val"):
            model.train(phase == "train")
            correct = 0
            for x, y in loaders[phase]:
                optimizer.zero_grad()
                with torch.set_grad_enabled(phase == "train"):
                    out = model(x)
                    loss = criterion(out, y)
                    if phase == "train":
                        loss.backward()
                        optimizer.step()
                correct += (out.argmax(1) == y).sum().item()
            if phase == "val" and correct >= best:
                best = correct
                torch.save(model.state_dict(), "best.pt")
        print(f"acc {correct / 24:.4f}")
    model.load_state_dict(torch.load("best.pt"))
    return model


def show(model, images=3):
    """Predicts a few images, and no more."""
    model.eval()
    with torch.no_grad():
        for x, y in loaders["val"]:
            print(model(x[:images]).argmax(1).tolist(), y[:images].tolist())
            return


whole = models.resnet18(weights=None)
whole.fc = nn.Linear(512, 3)
whole = fit(whole, optim.Adam(whole.parameters(), lr=1e-4))
show(whole)
head = models.resnet18(weights=None)
for param in head.parameters():
    param.requires_grad = False
head.fc = nn.Linear(512, 3)
head = fit(head, optim.Adam(head.fc.parameters(), lr=1e-3))
show(head)
