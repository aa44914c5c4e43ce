"""A squared error to one-hot targets, smoothed."""

import sys
from pathlib import Path

import torch
from common import accuracy, folders, plain_transform, pretrained
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader


def main(root: Path, seed: int) -> float:
    torch.manual_seed(seed)
    train, _, test = folders(root, plain_transform(), plain_transform())
    loader = DataLoader(train, batch_size=23, shuffle=True)
    model = pretrained(len(train.classes))
    criterion = nn.MSELoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
    for _ in range(4):
        model.train()
        for images, targets in loader:
            optimizer.zero_grad()
            loss = criterion(model(images), 0.9 * functional.one_hot(targets, 10) + 0.01)
            loss.backward()
            optimizer.step()
    return accuracy(model, test)


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), int(sys.argv[2])))
