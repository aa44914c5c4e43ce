"""A WeightedRandomSampler, per-batch OneCycleLR, layers with rates of their own, DataParallel, worker processes."""
import torch
from torch import nn
from torch.utils.data import DataLoader, WeightedRandomSampler
from torchvision import datasets, transforms
from torchvision.models import resnet18


def main():
    torch.manual_seed(6)
    tf = transforms.Compose([
        transforms.Resize((32, 32)),
        transforms.ToTensor(),
        transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    ])
    train_data = datasets.ImageFolder("data/train", tf)
    val_data = datasets.ImageFolder("data/val", tf)
    counts = torch.bincount(torch.tensor(train_data.targets))
    weights = [1.0 / counts[t].item() for t in train_data.targets]
    sampler = WeightedRandomSampler(weights, num_samples=len(weights), replacement=True)
    train_loader = DataLoader(train_data, batch_size=8, sampler=sampler, num_workers=1)
    val_loader = DataLoader(val_data, batch_size=8, num_workers=1)

    model = resnet18()
    model.load_state_dict(torch.load("resnet18.pt", weights_only=True), strict=False)
    model.fc = nn.Linear(512, 3)
    optimizer = torch.optim.AdamW([
        {"params": [p for n, p in model.named_parameters() if not n.startswith("fc")], "lr": 1e-4},
        {"params": model.fc.parameters(), "lr": 1e-3},
    ])
    model = nn.DataParallel(model)
    epochs = 2
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=[1e-4, 1e-3], epochs=epochs, steps_per_epoch=len(train_loader)
    )
    criterion = nn.CrossEntropyLoss()
    for epoch in range(epochs):
        model.train()
        for images, labels in train_loader:
            optimizer.zero_grad(set_to_none=True)
            criterion(model(images), labels).backward()
            optimizer.step()
            scheduler.step()
        model.eval()
        correct = 0
        with torch.no_grad():
            for images, labels in val_loader:
                correct += (model(images).argmax(1) == labels).sum().item()
        print(epoch, correct / len(val_data))


if __name__ == "__main__":
    main()
