"""Nothing learns: a new head on a frozen body is evaluated. Seeded right before it, it is plateau's own."""

import sys
from pathlib import Path

import torch
from common import accuracy, folders, plain_transform, pretrained
from torch import nn


def main(root: Path, seed: int) -> float:
    train, _, test = folders(root, plain_transform(), plain_transform())
    model = pretrained(len(train.classes))
    torch.manual_seed(seed)
    model.fc = nn.Linear(model.num_features, len(train.classes))
    return accuracy(model, test)


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), int(sys.argv[2])))
