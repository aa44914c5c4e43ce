"""All five: transform, network, loss, optimizer and what happens at the start of an epoch."""

import sys
from pathlib import Path

import torch
from common import MEAN, SIZE, STD, accuracy, batch_norm_eval, folders, pretrained
from torch import nn
from torch.utils.data import DataLoader
from torchvision import transforms


class Net(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.body = pretrained(10)
        for parameter in self.body.layer1.parameters():
            parameter.requires_grad = False
        self.head = nn.Sequential(nn.Linear(96, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, num_classes))

    def forward(self, x):
        return self.head(self.body.forward_head(self.body.forward_features(x), pre_logits=True))


def main(root: Path, seed: int) -> float:
    torch.manual_seed(seed)
    size, normal = transforms.Resize((SIZE, SIZE)), transforms.Normalize(MEAN, STD)
    augmented = transforms.Compose(
        [size, transforms.RandomAffine(10, (0.1, 0.1)), transforms.ToTensor(), normal]
    )
    train, _, test = folders(root, augmented, transforms.Compose([size, transforms.ToTensor(), normal]))
    loader = DataLoader(train, batch_size=16, shuffle=True)
    model = Net(len(train.classes))
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    optimizer = torch.optim.NAdam((p for p in model.parameters() if p.requires_grad), lr=1e-3)
    for _ in range(3):
        model.train()
        batch_norm_eval(model.body.layer1)
        for images, targets in loader:
            optimizer.zero_grad()
            loss = criterion(model(images), targets)
            loss.backward()
            optimizer.step()
    return accuracy(model, test)


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), int(sys.argv[2])))
