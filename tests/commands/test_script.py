"""A script given to plateau diagnose: the workspace beside it holds its own recipe."""

from __future__ import annotations

import numpy as np
import pytest
import yaml
from PIL import Image

from plateau_cause.commands.script import make_workspace
from plateau_cause.config import params
from plateau_cause.errors import PlateauError

SCRIPT = """
import sys
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, models, transforms

lr = float(sys.argv[1])
tf = transforms.Compose([transforms.Resize((32, 32)), transforms.ToTensor()])
train = DataLoader(datasets.ImageFolder("data/train", tf), 4, shuffle=True)
val = DataLoader(datasets.ImageFolder("data/val", tf), 4)
model = models.resnet18(num_classes=2)
optimizer = torch.optim.SGD(model.parameters(), lr)
for epoch in range(3):
    for x, y in train:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        print(sum((model(x).argmax(1) == y).sum().item() for x, y in val))
    model.train()
"""


@pytest.fixture
def script(tmp_path):
    for split in ("train", "val"):
        for name in "ab":
            (tmp_path / "data" / split / name).mkdir(parents=True)
            for number in range(8):
                image = np.full((20, 20, 3), 40 * ord(name) % 251 + number, np.uint8)
                Image.fromarray(image).save(tmp_path / "data" / split / name / f"{number}.png")
    path = tmp_path / "train.py"
    path.write_text(SCRIPT)
    return path


def test_the_workspace_holds_the_scripts_own_recipe(script, tmp_path):
    folder = tmp_path / "train.plateau"
    notes = make_workspace(script, ("0.001",), folder, None)
    assert notes == ["val is divided: one half chooses, one judges"]
    assert (folder / "data/capture/observations.json").read_text().strip() == "[]"
    given = params.load(folder / "params.yaml")
    assert (given.backbone.name, given.recipe.batch_size, given.recipe.schedule.epochs) == ("resnet18", 4, 3)
    assert given.recipe.preprocessing.size == 32
    text = yaml.safe_load((folder / "params.yaml").read_text())
    assert text["recipe"]["code"] == str(folder / "data/capture/recipe.py")
    assert script.read_text() == SCRIPT


def test_a_network_that_is_not_known_is_one_line(script, tmp_path):
    own = "nn.Sequential(nn.Flatten(), nn.Linear(3072, 2))"
    script.write_text(SCRIPT.replace("models.resnet18(num_classes=2)", own))
    with pytest.raises(PlateauError, match=r"nn\.Sequential is neither torchvision's nor timm's"):
        make_workspace(script, ("0.1",), tmp_path / "train.plateau", None)
