"""What a loader's description says by hand: loaders that no line reads."""

import linecache
import sys
from types import SimpleNamespace

import pytest

from plateau_cause.capture.child.describe import names


@pytest.mark.parametrize(
    ("text", "name", "is_used"),
    [("ssl = make()\n", "ssl", False), ("ssl = make()\nfor x in ssl:\n    pass\n", "ssl", True),
     ("def make():\n    return 1\n", "elsewhere", True), ("ssl = make()\n", None, True)],
)  # fmt: skip
def test_a_loader_that_no_line_reads(text, name, is_used, monkeypatch, tmp_path):
    file = str(tmp_path / "train.py")
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    monkeypatch.setitem(sys.modules, "the_script", SimpleNamespace(__file__=file))
    monkeypatch.setattr(names, "is_users", lambda one: one == file)
    assert names.is_used(name) is is_used
