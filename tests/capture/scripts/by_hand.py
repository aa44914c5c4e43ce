"""A schedule written by hand into param_groups; a model in two parts, called one after the other."""
import math

import torch
from torch import nn
from torchvision import datasets, transforms

torch.manual_seed(2)
norm = transforms.Normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])
train_transform = transforms.Compose([transforms.Resize((16, 16)), transforms.ToTensor(), norm])
val_transform = transforms.Compose([transforms.Resize((16, 16)), transforms.ToTensor(), norm])
trainset = datasets.ImageFolder("data/train", train_transform)
valset = datasets.ImageFolder("data/val", val_transform)
trainloader = torch.utils.data.DataLoader(trainset, 8, shuffle=True)
valloader = torch.utils.data.DataLoader(valset, 8)

backbone = nn.Sequential(nn.Conv2d(3, 12, 3), nn.BatchNorm2d(12), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten())
head = nn.Linear(48, 3)
optimizer = torch.optim.SGD([*backbone.parameters(), *head.parameters()], lr=1e-4, momentum=0.9)
epochs, base_lr = 2, 0.01


def adjust_learning_rate(epoch):
    lr = base_lr * 0.5 * (1 + math.cos(math.pi * epoch / epochs))
    for group in optimizer.param_groups:
        group["lr"] = lr


for epoch in range(epochs):
    adjust_learning_rate(epoch)
    backbone.train()
    for images, labels in trainloader:
        features = backbone(images)
        logits = head(features)
        loss = nn.functional.cross_entropy(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    backbone.eval()
    hits = 0
    for images, labels in valloader:
        with torch.no_grad():
            hits += (head(backbone(images)).argmax(1) == labels).sum().item()
    print(epoch, hits / len(valset))
