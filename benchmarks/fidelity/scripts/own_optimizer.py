"""The head learns at fifty times the rate of the body; both rates fall along a cosine."""

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
    body = [parameter for name, parameter in model.named_parameters() if not name.startswith("fc.")]
    groups = [{"params": body, "lr": 2e-4}, {"params": model.fc.parameters(), "weight_decay": 1e-3}]
    optimizer = torch.optim.SGD(groups, lr=1e-2, momentum=0.9, nesterov=True)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 4 * len(loader))
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
