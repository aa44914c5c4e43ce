"""An argparse package: python -m pkg.train --data data --epochs 2."""
import argparse

import torch

from pkg import utils
from pkg.data import build_loaders
from pkg.model import Net


def get_args():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--lr", type=float, default=0.05)
    parser.add_argument("--clip", type=float, default=5.0)
    return parser.parse_args()


def train_one_epoch(model, loader, criterion, optimizer, clip):
    model.train()
    for images, targets in loader:
        loss = criterion(model(images), targets)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()


@torch.no_grad()
def evaluate(model, loader):
    model.eval()
    hits = total = 0
    for images, targets in loader:
        hits += (model(images).argmax(1) == targets).sum().item()
        total += len(targets)
    return hits / total


def main():
    args = get_args()
    utils.seed_everything(3)
    train_loader, val_loader, test_loader = build_loaders(args.data)
    model = Net(3)
    criterion = torch.nn.CrossEntropyLoss(label_smoothing=0.1)
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9, weight_decay=1e-4)
    for epoch in range(args.epochs):
        train_one_epoch(model, train_loader, criterion, optimizer, args.clip)
        print(epoch, "val", evaluate(model, val_loader))
    print("test", evaluate(model, test_loader))


if __name__ == "__main__":
    main()
