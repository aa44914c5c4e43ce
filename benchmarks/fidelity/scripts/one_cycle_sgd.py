"""SGD, whose momentum PyTorch's one-cycle schedule moves too."""

import sys
from pathlib import Path

import torch
from common import accuracy, folders, plain_transform, pretrained
from torch import nn
from torch.utils.data import DataLoader


def main(root: Path, seed: int) -> float:
    torch.manual_seed(seed)
    train, _, test = folders(root, plain_transform(), plain_transform())
    loader = DataLoader(train, batch_size=23, shuffle=True)
    model = pretrained(len(train.classes))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=3e-3, momentum=0.5)
    steps = 4 * len(loader)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    for _ in range(4):
        model.train()
        for images, targets in loader:
            optimizer.zero_grad()
            loss = criterion(model(images), targets)
            loss.backward()
            optimizer.step()
            scheduler.step()
    return accuracy(model, test)


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), int(sys.argv[2])))
