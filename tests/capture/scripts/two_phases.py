"""First the head, then everything: two optimizers one after the other."""
import torch
from torch import nn, optim
from torch.utils.data import DataLoader
from torchvision import datasets, models, transforms

torch.manual_seed(0)
tf = transforms.Compose([transforms.Resize((32, 32)), transforms.ToTensor(), transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])
train_loader = DataLoader(datasets.ImageFolder("data/train", tf), 8, shuffle=True)
val_loader = DataLoader(datasets.ImageFolder("data/val", tf), 8)


def fit(model, optimizer, epochs):
    criterion = nn.CrossEntropyLoss()
    for epoch in range(epochs):
        model.train()
        for x, y in train_loader:
            optimizer.zero_grad()
            criterion(model(x), y).backward()
            optimizer.step()
        model.eval()
        correct = 0
        with torch.no_grad():
            for x, y in val_loader:
                correct += (model(x).argmax(1) == y).sum().item()
        print(f"acc {correct / 24:.4f}")


model = models.resnet18(weights=None)
for param in model.parameters():
    param.requires_grad = False
model.fc = nn.Linear(512, 3)
fit(model, optim.Adam(model.fc.parameters(), lr=1e-3), 2)
for param in model.parameters():
    param.requires_grad = True
fit(model, optim.Adam(model.parameters(), lr=1e-4), 2)
