"""Where the user's functions decide what a cause names, and the change: it applies, parses, and says so."""

import subprocess

import pytest

from plateau_cause.capture.patches.own_functions import locate

FILE = """\
import timm
import torch
from torch import nn
from torchvision import transforms as T

read = T.Compose([T.Resize((48, 48)), T.ToTensor(), T.Normalize([0.1], [0.9])])


def transform(image, train):
    return read(image)


class Net(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.body, self.head = timm.create_model("test_resnet", num_classes=0), nn.Linear(64, classes)

    def forward(self, x):
        with torch.no_grad():
            # features only
            z = self.body(x)
        return torch.softmax(self.head(z), 1)


def build_model(num_classes):
    net = Net(num_classes)
    for p in net.body.parameters():
        p.requires_grad = False
    return net


def optimizer(model):
    return torch.optim.SGD(model.head.parameters(), lr=1e-6, momentum=0.9)
"""
RATE, MOMENTS = {"recipe.optimizer.learning_rate": 5.57e-4}, {
    "recipe.preprocessing.mean": [0.5, 0.5, 0.5], "recipe.preprocessing.std": [0.5, 0.5, 0.5],
}  # fmt: skip
CASES = [
    ("frozen_layers", "build_model", {}, 28, "p.requires_grad = True"),
    ("optimizer_parameters", "optimizer", {}, 33, "SGD(model.parameters(), lr=1e-6, momentum=0.9)"),
    ("learning_rate_low", "optimizer", RATE, 33, "lr=0.000557, momentum"),
    ("preprocessing", "transform", MOMENTS, 6, "T.Normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])"),
    ("head", "build_model", {}, 22, "return self.head(z)"),
    ("weights_update", "build_model", {}, 19, "        z = self.body(x)"),
]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "train.py"
    path.write_text(FILE)
    return path


@pytest.mark.parametrize(("cause", "function", "entries", "line", "after"), CASES)
def test_the_change_applies_and_says_what_to_write(file, cause, function, entries, line, after):
    found = locate(file, cause, function, entries)
    assert (found.function, found.line) == (function, line)
    command = ["patch", "-p1"]
    subprocess.run(command, input=found.patch, text=True, cwd=file.parent, check=True, capture_output=True)
    changed = file.read_text()
    assert after in changed
    compile(changed, "train.py", "exec")
    assert len(set(changed.splitlines()) ^ set(FILE.splitlines())) <= 5  # nothing else


def test_a_block_without_its_with_keeps_its_comment(file):
    found = locate(file, "weights_update", "build_model", {})
    assert "-        with torch.no_grad():" in found.patch and "+        # features only" in found.patch


@pytest.mark.parametrize("cause", ["evaluation", "loss_function", "training_loop"])
def test_what_stands_nowhere_in_plain_sight_is_the_function(file, cause):
    found = locate(file, cause, "transform", {})
    assert (found.line, found.patch) == (9, None)


def test_two_places_are_no_plain_sight(file):
    again = "    for p in net.head.parameters():\n        p.requires_grad = False\n    return net"
    file.write_text(FILE.replace("    return net", again))
    found = locate(file, "frozen_layers", "build_model", {})
    assert (found.line, found.patch) == (28, None)


@pytest.mark.parametrize("text", [None, "def transform(", "\x00", "x = 1"])
def test_what_cannot_be_read_has_no_place(tmp_path, text):
    path = tmp_path / "train.py"
    if text is not None:
        path.write_text(text)
    assert locate(path, "preprocessing", "transform", {}) is None
