"""Crops, mirrors, jitter of colours and erased rectangles."""

import sys
from pathlib import Path

import torch
from common import BICUBIC, MEAN, SIZE, STD, accuracy, folders, plain_transform, pretrained
from torch import nn
from torch.utils.data import DataLoader
from torchvision import transforms


def main(root: Path, seed: int) -> float:
    torch.manual_seed(seed)
    augmented = transforms.Compose(
        [
            transforms.Resize((SIZE, SIZE), interpolation=BICUBIC),
            transforms.RandomResizedCrop(SIZE, scale=(0.6, 1.0)),
            transforms.RandomHorizontalFlip(),
            transforms.ColorJitter(brightness=0.3, contrast=0.3, saturation=0.3),
            transforms.ToTensor(),
            transforms.Normalize(MEAN, STD),
            transforms.RandomErasing(p=0.25, scale=(0.02, 0.2), ratio=(0.75, 1.33)),
        ]
    )
    train, _, test = folders(root, augmented, plain_transform())
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
