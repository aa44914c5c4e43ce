"""What a loader's description says by hand: classes by their folders, loaders that no line reads."""

import linecache
import sys
from types import SimpleNamespace

import pytest

from plateau_cause.capture.child.describe import names
from plateau_cause.capture.child.describe.data import _by_folder


def sample(path, label):
    return SimpleNamespace(label=label, raw=SimpleNamespace(path=path))


def test_classes_by_the_folder_that_names_them():
    plain = [
        sample(f"/data/train/{name}/{i}.png", label) for label, name in enumerate("ab") for i in range(4)
    ]
    assert _by_folder(plain) == {"a": 0, "b": 1}
    days = [
        sample(f"/data/train/{name}/day{i}/{i}.png", label)
        for label, name in enumerate("ab")
        for i in range(4)
    ]
    assert _by_folder(days) == {"a": 0, "b": 1}
    patients = [sample(f"/data/{name}/{name}{i // 2}/{i}.png", label) for label, name in enumerate("ab")
                for i in range(4)]  # fmt: skip
    assert _by_folder(patients) == {"a": 0, "b": 1}


def test_folders_that_name_no_class():
    mixed = [sample(f"/data/train/day{i % 2}/{i}.png", i // 2 % 2) for i in range(8)]
    assert _by_folder(mixed) is None and _by_folder([]) is None
    noisy = [sample(f"/d/{name}/{i}.png", label if i else 1 - label) for label, name in enumerate("ab")
             for i in range(6)]  # fmt: skip
    assert _by_folder(noisy) == {"a": 0, "b": 1}


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


def test_a_folder_of_one_image_agrees_with_anything():
    shards = [sample(f"/data/train/{i:02x}/{i}.png", i % 3 == 0) for i in range(48)]
    assert _by_folder(shards) is None
    sites = [
        sample(f"/d/{name}/site{i % 2}/{i}.png", label) for label, name in enumerate("abc") for i in range(6)
    ]
    assert _by_folder(sites) == {"a": 0, "b": 1, "c": 2}
