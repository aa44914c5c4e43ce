"""Half of the features are dropped before the head."""

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
    model.fc = nn.Sequential(nn.Dropout(0.5), model.fc)
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
