"""A transform that erases a rectangle of few training images."""

import sys
from pathlib import Path

import torch
from common import SIZE, accuracy, folders, pretrained
from torch import nn
from torch.utils.data import DataLoader
from torchvision import transforms


def main(root: Path, seed: int) -> float:
    torch.manual_seed(seed)
    size, normal = transforms.Resize((SIZE, SIZE)), transforms.Normalize([0.3] * 3, [0.3] * 3)
    rare = transforms.RandomErasing(p=0.1, scale=(0.3, 0.6), value="random")
    augmented = transforms.Compose([size, transforms.RandomRotation(20), transforms.ToTensor(), normal, rare])
    train, _, test = folders(root, augmented, transforms.Compose([size, transforms.ToTensor(), normal]))
    loader = DataLoader(train, batch_size=23, shuffle=True)
    model = pretrained(len(train.classes))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
    for _ in range(4):
        model.train()
        for images, targets in loader:
            optimizer.zero_grad()
            loss = criterion(model(images), targets)
            loss.backward()
            optimizer.step()
    return accuracy(model, test)


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), int(sys.argv[2])))
