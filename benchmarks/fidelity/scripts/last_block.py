"""The last block and the head learn."""

import sys
from pathlib import Path

import torch
from common import accuracy, batch_norm_eval, folders, freeze, plain_transform, pretrained
from torch import nn
from torch.utils.data import DataLoader


def main(root: Path, seed: int) -> float:
    torch.manual_seed(seed)
    train, _, test = folders(root, plain_transform(), plain_transform())
    loader = DataLoader(train, batch_size=23, shuffle=True)
    model = pretrained(len(train.classes))
    freeze(model)
    for part in (model.layer4, model.fc):
        for parameter in part.parameters():
            parameter.requires_grad = True
    criterion = nn.CrossEntropyLoss()
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=1e-3, weight_decay=0.01)
    for _ in range(4):
        model.train()
        batch_norm_eval(model)  # frozen layers keep their statistics
        model.layer4.train()
        for images, targets in loader:
            optimizer.zero_grad()
            loss = criterion(model(images), targets)
            loss.backward()
            optimizer.step()
    return accuracy(model, test)


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), int(sys.argv[2])))
