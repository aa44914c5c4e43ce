"""SGD with momentum; the rate follows half a cosine after a tenth of warm-up."""

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
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9, weight_decay=5e-4)
    steps = 4 * len(loader)
    warm = -(-steps // 10)
    scheduler = torch.optim.lr_scheduler.SequentialLR(
        optimizer,
        [
            torch.optim.lr_scheduler.LinearLR(optimizer, 1 / warm, total_iters=warm - 1),
            torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps - warm),
        ],
        [warm],
    )
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
