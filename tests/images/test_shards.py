from pathlib import Path

import pytest

from plateau_cause.errors import PlateauError
from plateau_cause.images import shards


@pytest.fixture
def make(tmp_path):
    def touch(*names):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        return tmp_path

    return touch


def names(path, top, suffix=".tar"):
    return [file.relative_to(top).as_posix() for file in shards.find(path, suffix, "data")]


def test_a_folder_a_pattern_and_a_single_file(make):
    top = make("b.tar", "a.tar", "in/c.tar", "notes.txt", ".hidden.tar", ".git/x.tar", "folder.tar/x")
    assert names(top, top) == ["a.tar", "b.tar", "in/c.tar"]
    assert names(top / "*.tar", top) == ["a.tar", "b.tar"]
    assert names(top / "**/*.tar", top) == ["a.tar", "b.tar", "in/c.tar"]
    assert names(top / "b.tar", top) == ["b.tar"]


def test_a_file_called_like_a_pattern_is_that_file(make):
    top = make("pets[1].tar", "pets1.tar")
    assert names(top / "pets[1].tar", top) == ["pets[1].tar"]


@pytest.mark.parametrize("name", ["", "*.tar", "none"])
def test_without_shards(tmp_path, name):
    with pytest.raises(PlateauError, match=r"reference_data\.path: .* holds no \.tar files"):
        shards.find(tmp_path / name, ".tar", "reference_data")


def test_the_folder_of_a_pattern_is_its_part_before_the_first_wildcard(make):
    top = make("x/y/a.tar")
    for given, folder in {"x/*/a.tar": "x", "x/y/*.tar": "x/y", "x/y": "x/y", "x/y/a.tar": "x/y"}.items():
        assert shards.folder(top / given) == top / folder
    assert shards.watched(top / "x/y/a.tar") == top / "x/y/a.tar"
    assert shards.watched(top / "x/y/*.tar") == top / "x/y"
    assert shards.folder(Path("*.tar")) == Path()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["train/0.tar", "valid/0.tar", "test/0.tar"], ["train", "val", "test"]),
        (["pets-train-000.tar", "pets_Validation_000.tar"], ["train", "val"]),
        (["train-0.tar", "bus-0.tar"], [None, None]),
        (["train/test-0.tar", "train/train-0.tar"], [None, None]),
        (["0.tar"], [None]),
    ],
)
def test_splits_by_folder_or_name(given, expected):
    assert shards.split_names([Path("top") / name for name in given], Path("top")) == expected
