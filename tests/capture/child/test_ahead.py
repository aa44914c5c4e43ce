"""What is still ahead of a running script: lines that thaw layers or build an optimizer."""

import linecache
import sys

import pytest
from torch import nn

from plateau_cause.capture.child.ahead import hold_ahead, model_ahead, thaw_ahead

AHEAD = {
    "nothing": ("seen()\n", None, None),
    "a later line": ("seen()\np.requires_grad = True\n", 2, None),
    "another fold": (
        "for fold in range(2):\n    kept = list(filter(lambda p: p.requires_grad, []))\n    seen()\n",
        None, None,
    ),
    "what a loop gives": ("for stage in range(2):\n    thaw(stage)\n    seen()\ndef thaw(stage):\n"
                          "    model.requires_grad_(stage > 0)\n", 2, None),
    "another optimizer": ("seen()\noptimizer = Adam(p)\n", None, 2),
}  # fmt: skip


@pytest.mark.parametrize("name", AHEAD)
def test_lines_ahead(name, tmp_path, monkeypatch):
    text, thaws, holds = AHEAD[name]
    path = tmp_path / "train.py"
    path.write_text(text)
    linecache.checkcache(str(path))
    monkeypatch.setitem(sys.modules, "the_script", type(sys)("the_script"))
    sys.modules["the_script"].__file__ = str(path)
    told = []

    def seen():
        frame = sys._getframe(1)
        told.extend(place and place.line for place in (thaw_ahead(frame), hold_ahead(frame)))
        raise StopIteration

    given = {"seen": seen, "thaw": lambda stage: None, "p": None}
    with pytest.raises(StopIteration):
        exec(compile(text, str(path), "exec"), given)
    assert told == [thaws, holds]


MODELS = {
    "nothing": ("def fit(model):\n    seen(model)\nfit(first)\n", None),
    "another model": (
        "def fit(model):\n    seen(model)\nfit(first)\nsecond = made()\n"
        "optimizer = SGD(second.fc.parameters(), lr=1)\nfit(second)\n",
        5,
    ),
    "one that is there": (
        "def fit(model):\n    seen(model)\nfit(first)\no = Adam([p for p in other.parameters()])\n", 4,
    ),
    "its second phase": ("seen(first)\no = Adam(filter(None, first.parameters()))\nseen(first)\n", None),
    "a part of it": ("body = first[0]\nseen(first)\no = Adam(body.parameters())\n", None),
    "another fold": (
        "for fold in range(2):\n    first = made()\n    o = Adam(first.parameters())\n    seen(first)\n",
        None,
    ),
    "parameters alone": ("seen(first)\no = Adam(chosen)\n", None),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_another_model_ahead(name, tmp_path):
    text, line = MODELS[name]
    path = tmp_path / "train.py"
    path.write_text(text)
    linecache.checkcache(str(path))
    told = []

    def seen(model):
        place = model_ahead(sys._getframe(1), model)
        told.append(place and place.line)
        raise StopIteration

    def made():
        return nn.Sequential(nn.Linear(2, 2))

    given = {"seen": seen, "made": made, "first": made(), "other": made(), "Adam": lambda _: None}
    with pytest.raises(StopIteration):
        exec(compile(text, str(path), "exec"), given)
    assert told == [line]
