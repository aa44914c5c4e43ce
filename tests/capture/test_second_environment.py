"""A script in an environment of its own: another torch, no torchvision, a package that plateau lacks."""

from __future__ import annotations

import os
import subprocess
import sys
import venv

import pytest
import torch

from plateau_cause.capture import launch
from plateau_cause.capture.rules.every import observe

pytestmark = pytest.mark.slow
TORCH = "2.13.0+cpu"  # a build that is small, found where an index or a folder of wheels has it
COMPANY = """
from torch import nn

def network(classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 24 * 24, 16), nn.ReLU(), nn.Linear(16, classes))
"""
SCRIPT = """
import glob
import company_networks
import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

CLASSES = ["amber", "blue", "green"]


class Colours(Dataset):
    def __init__(self, split):
        self.files = sorted(glob.glob(f"data/{split}/*/*.png"))

    def __len__(self):
        return len(self.files)

    def __getitem__(self, i):
        image = np.asarray(Image.open(self.files[i]), dtype=np.float32) / 127.5 - 1
        return torch.from_numpy(image).permute(2, 0, 1), CLASSES.index(self.files[i].split("/")[-2])


torch.manual_seed(0)
train, val = DataLoader(Colours("train"), 8, shuffle=True), DataLoader(Colours("val"), 8)
model = company_networks.network(3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for epoch in range(2):
    model.train()
    for x, y in train:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        hits = sum((model(x).argmax(1) == y).sum().item() for x, y in val)
    print(f"acc {hits / 24:.4f}")
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The interpreter of the second environment."""
    folder = tmp_path_factory.mktemp("second")
    venv.create(folder, symlinks=True, with_pip=False)
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(folder / "bin/python"),
        "install",
        "-q",
        "--no-compile",
    ]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    needs = [f"torch=={TORCH}", "numpy", "pillow"]
    ended = subprocess.run([*command, *needs], env=environment, capture_output=True, text=True, check=False)
    if ended.returncode:
        pytest.skip(f"torch {TORCH} cannot be had here: {ended.stderr.strip().splitlines()[-1][:200]}")
    places = next(folder.glob("lib/python*/site-packages"))
    (places / "company_networks.py").write_text(COMPANY)
    return folder / "bin/python"


@pytest.fixture
def script(python, material, tmp_path):
    """The script, and its data beside it."""
    (tmp_path / "data").symlink_to(material / "data")
    (tmp_path / "train.py").write_text(SCRIPT)
    return launch.script(str(tmp_path / "train.py"), python=str(python))


def test_it_is_peeked_at_by_its_own_interpreter(script, tmp_path):
    content = launch.peek(script, tmp_path / "out")
    versions = content["script"]["versions"]
    assert versions["torch"] == TORCH != torch.__version__
    assert "torchvision" not in versions
    assert content["model"]["head"]["outputs"] == 3
    assert content["loaders"][0]["image"]["normalisation"]["mean"] == pytest.approx([0.5] * 3, abs=0.02)
    assert content["problems"] == []
    assert observe(content, script.folder) == []


def test_it_is_watched_by_its_own_interpreter(script, tmp_path, capfd):
    record = launch.watch(script, tmp_path / "out")
    printed = capfd.readouterr().out
    assert [f"acc {row['evaluations'][0]['accuracy']:.4f}" for row in record["epochs"]] == printed.split(
        "\n"
    )[:2]
    assert record["problems"] == []
