"""What is still ahead of a running script: lines that thaw layers or build an optimizer."""

import linecache
import sys

import pytest

from plateau_cause.capture.child.ahead import hold_ahead, thaw_ahead

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
