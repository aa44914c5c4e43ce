"""The head begins as a logistic regression on the frozen features; then every layer learns."""

import sys
from pathlib import Path
from typing import Any

import torch
from common import accuracy, folders, plain_transform, pretrained
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader


@torch.no_grad()
def features_of(model: nn.Module, data: Any) -> tuple[Any, Any]:
    model.eval()
    batches = [
        (model.forward_head(model.forward_features(images), pre_logits=True), targets)
        for images, targets in DataLoader(data, batch_size=64)
    ]
    features, targets = (torch.cat(parts).numpy() for parts in zip(*batches, strict=True))
    return features, targets


def solve_head(model: nn.Module, train: Any, val: Any) -> None:
    (x, y), (x_val, y_val) = features_of(model, train), features_of(model, val)
    scaler = StandardScaler().fit(x)
    fitted = [
        LogisticRegression(C=c, max_iter=2000).fit(scaler.transform(x), y) for c in (1e-4, 1e-3, 1e-2, 0.1, 1)
    ]
    best = max(fitted, key=lambda found: found.score(scaler.transform(x_val), y_val))
    weight = best.coef_ / scaler.scale_
    with torch.no_grad():
        model.fc.weight.copy_(torch.from_numpy(weight))
        model.fc.bias.copy_(torch.from_numpy(best.intercept_ - weight @ scaler.mean_))


def main(root: Path, seed: int) -> float:
    torch.manual_seed(seed)
    train, val, test = folders(root, plain_transform(), plain_transform())
    loader = DataLoader(train, batch_size=23, shuffle=True)
    model = pretrained(len(train.classes))
    solve_head(model, train, val)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.01)
    for _ in range(2):
        model.train()
        for images, targets in loader:
            optimizer.zero_grad()
            loss = criterion(model(images), targets)
            loss.backward()
            optimizer.step()
    return accuracy(model, test)


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), int(sys.argv[2])))
