"""plateau peek and plateau watch, as a user calls them."""

from __future__ import annotations

import json

import pytest

SCRIPT = """
import argparse
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, required=True)
args = parser.parse_args()
torch.manual_seed(0)
x = torch.randn(32, 3, 8, 8)
y = (x.mean((1, 2, 3)) > 0).long()
train_loader = DataLoader(TensorDataset(x, y), 8, shuffle=True)
val_loader = DataLoader(TensorDataset(x, y), 8)
net = nn.Sequential(nn.Flatten(), nn.Linear(192, 8), nn.ReLU(), nn.Linear(8, 2))
opt = torch.optim.SGD(net[3].parameters(), args.lr)
for epoch in range(2):
    for xb, yb in train_loader:
        opt.zero_grad()
        nn.functional.cross_entropy(net(xb), yb).backward()
        opt.step()
    with torch.no_grad():
        print("val", sum((net(xb).argmax(1) == yb).sum().item() for xb, yb in val_loader) / 32)
open("missing/plot", "w")
"""


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "train.py"
    path.write_text(SCRIPT)
    return path


def test_peek_prints_what_the_script_does_and_a_patch(call, script):
    ended = call("peek", "train.py", "--lr", "0.125")
    assert (ended.status, ended.err) == (0, "")
    assert "optim.SGD, rate 0.125: 3" in ended.out
    assert "1 never moves: the optimizer holds only 3 (train.py:16)" in ended.out
    assert "+opt = torch.optim.SGD(net.parameters(), args.lr)" in ended.out


def test_peek_as_json_has_everything_and_the_observations(call, script, tmp_path):
    ended = call("peek", "--json", "--out", "kept", "train.py", "--lr", "0.1")
    content = json.loads(ended.out)
    assert content["optimizers"][0]["place"] == {"file": "train.py", "line": 16}
    assert [one["code"] for one in content["observations"]] == ["optimizer_parameters"]
    kept = json.loads((tmp_path / "kept/peek.json").read_text())
    assert kept == {key: value for key, value in content.items() if key != "observations"}
    assert (tmp_path / "kept" / content["pieces"]["weights"]).is_file()


def test_a_mistake_of_the_user_is_one_line_and_status_2(call, script):
    ended = call("peek", "train.py")
    assert ended.status == 2
    assert ended.err.splitlines() == [
        "error: train.py ended with status 2: train.py: error: the following arguments are required: --lr"
    ]


def test_watch_prints_the_curves_of_a_script_that_fails_after_its_training(call, script):
    ended = call("watch", "train.py", "--lr", "0.1")
    assert ended.status == 0
    assert "The script failed after its training was finished at train.py:24: FileNotFoundError" in ended.out
    rows = [line.split() for line in ended.out.splitlines() if line.strip()[:1] in ("1", "2")]
    assert [row[0] for row in rows[:2]] == ["1", "2"] and all(len(row) == 4 for row in rows[:2])
