import os

import pytest

from plateau.data.sources import read
from plateau.errors import PlateauError
from plateau.params import Data


def make(root, *paths):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")


def items(root):
    return list(read(Data(source="imagefolder", path=str(root))))


def test_class_folders_in_the_order_of_paths(tmp_path):
    make(tmp_path, "b/2.png", "b/1.png", "<b>x/deeper/1.png", "README.md")
    found = items(tmp_path)
    assert [(item.image_id, item.label, item.split) for item in found] == [
        ("<b>x/deeper/1.png", "<b>x", None),
        ("b/1.png", "b", None),
        ("b/2.png", "b", None),
    ]
    assert found[0].load() == b"x" and found[0].refused is None


def test_split_folders_above_class_folders(tmp_path):
    make(tmp_path, "train/a/1.png", "Valid/a/2.png", "test/b/3.png")
    found = {(item.split, item.label) for item in items(tmp_path)}
    assert found == {("train", "a"), ("Valid", "a"), ("test", "b")}


def test_a_class_called_train_is_a_class(tmp_path):
    make(tmp_path, "train/1.png", "bus/2.png")
    assert {(item.split, item.label) for item in items(tmp_path)} == {(None, "train"), (None, "bus")}


@pytest.mark.parametrize("odd", ["unlabelled/a/1.png", "test/1.png"])
def test_split_folders_beside_others_are_refused(tmp_path, odd):
    make(tmp_path, "train/a/1.png", odd)
    with pytest.raises(PlateauError, match=odd.split("/")[0]):
        items(tmp_path)


def test_hidden_and_system_files_are_no_data(tmp_path):
    make(
        tmp_path,
        "a/1.png",
        "a/.DS_Store",
        "a/Thumbs.db",
        "a/.cache/2.png",
        ".git/a/3.png",
        "__MACOSX/a/4.png",
    )
    assert [item.image_id for item in items(tmp_path)] == ["a/1.png"]


def test_links_that_leave_the_folder_are_refused(tmp_path):
    make(tmp_path, "in/a/1.png", "in/b/1.png", "out/secret.png", "out/folder/2.png")
    (tmp_path / "in/a/out.png").symlink_to(tmp_path / "out/secret.png")
    (tmp_path / "in/a/inside.png").symlink_to(tmp_path / "in/b/1.png")
    (tmp_path / "in/a/linked").symlink_to(tmp_path / "out/folder")
    (tmp_path / "in/c").symlink_to(tmp_path / "out")
    refused = {item.image_id: item.refused for item in items(tmp_path / "in")}
    assert refused == {
        "a/1.png": None,
        "a/inside.png": None,
        "a/linked": "a link that leaves the folder",
        "a/out.png": "a link that leaves the folder",
        "b/1.png": None,
        "c/folder/2.png": "a link that leaves the folder",
        "c/secret.png": "a link that leaves the folder",
    }


def test_a_circle_of_links_ends(tmp_path):
    make(tmp_path, "a/1.png")
    (tmp_path / "a/again").symlink_to(tmp_path / "a")
    assert [item.refused for item in items(tmp_path)] == [None, "a link to a folder, which is not followed"]


def test_pipes_are_not_read(tmp_path):
    make(tmp_path, "a/1.png")
    os.mkfifo(tmp_path / "a/2.png")
    assert [item.refused for item in items(tmp_path)] == [None, "not a regular file"]


def test_a_folder_without_class_folders(tmp_path):
    make(tmp_path, "1.png")
    with pytest.raises(PlateauError, match="holds no class folders"):
        items(tmp_path)


def test_sources_to_come_name_what_is_there():
    with pytest.raises(PlateauError, match="available: digits, imagefolder, table"):
        read(Data(source="huggingface", path="mnist"))
