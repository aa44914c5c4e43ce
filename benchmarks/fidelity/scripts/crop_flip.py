"""Training images are cropped at random, resized and mirrored."""

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
            transforms.ToTensor(),
            transforms.Normalize(MEAN, STD),
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
