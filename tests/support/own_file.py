"""A user's training file around the tiny network: sound, with one line exchanged where a test asks for it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tiny import EXPECTS, STAGES, tiny_backbone

FILE = """
{stages}
class Net(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.stem, self.block1, self.block2 = stages()
        self.dropout = nn.Dropout(0.25)
        self.fc = nn.Linear(16, num_classes)

    def forward(self, x):
        x = self.fc(self.dropout(self.block2(self.block1(self.stem(x)))))
        {end}
        return x


def build_model(num_classes):
    model = Net(num_classes)
    {load}
    {freeze}
    return model


def optimizer(model):
    {optimizer}


def on_train_start(model):
    {start}


def loss(output, target):
    {loss}


def transform(image, train):
    import numpy as np
    x = torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255
    {channels}
    x = (x - torch.tensor({mean}).view(3, 1, 1)) / torch.tensor({std}).view(3, 1, 1)
    {random}
    return x
"""
SOUND = {
    "stages": STAGES,
    "end": "",
    "load": "model.load_state_dict(torch.load({weights!r}), strict=False)",
    "freeze": "",
    "optimizer": "return torch.optim.AdamW(model.parameters(), lr=0.001, weight_decay=0.05)",
    "start": "pass",
    "loss": "return nn.functional.cross_entropy(output, target)",
    "channels": "",
    "mean": list(EXPECTS.mean),
    "std": list(EXPECTS.std),
    "random": "",
}


@pytest.fixture
def user_file(tmp_path):
    """Returns a maker of the user's file: which functions it holds, and which lines are exchanged."""
    weights = tmp_path / "weights.pt"
    torch.save(tiny_backbone(weights="bundled").stages.state_dict(), weights)

    def make(*functions: str, **lines: str) -> Path:
        values = {**SOUND, "load": SOUND["load"].format(weights=str(weights)), **lines}
        text = FILE.format(**values)
        unwanted = {"build_model", "optimizer", "on_train_start", "loss", "transform"} - set(functions)
        path = tmp_path / "mine.py"
        path.write_text(text + "".join(f"\ndel {name}" for name in sorted(unwanted)) + "\n", encoding="utf-8")
        return path

    return make
