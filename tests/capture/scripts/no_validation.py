"""Trains, prints the loss and the training accuracy, and judges nothing else."""
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

torch.manual_seed(0)
tf = transforms.Compose([transforms.RandomHorizontalFlip(), transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)])
dataset = datasets.ImageFolder("data/train", tf)
loader = DataLoader(dataset, batch_size=8, shuffle=True)
device = torch.device("cpu")
model = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3)).to(device)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
criterion = nn.CrossEntropyLoss()
for epoch in range(3):
    correct = 0
    for images, labels in loader:
        images, labels = images.to(device), labels.to(device)
        optimizer.zero_grad()
        out = model(images)
        criterion(out, labels).backward()
        optimizer.step()
        correct += (out.argmax(1) == labels).sum().item()
    print(f"epoch {epoch}: {correct / len(dataset):.3f} of the training images")
