import os

import pandas as pd
import pytest

from plateau_cause.config.params import Data
from plateau_cause.errors import PlateauError
from plateau_cause.images.sources import read


def items(folder):
    return list(read(Data(source="imagefolder", path=str(folder))))


def test_class_folders_at_any_depth(make_folder, picture):
    folder = make_folder({"cat/1.png": picture(0), "cat/2019/may/2.png": picture(1), "dog/1.png": picture(2)})
    assert [(i.image_id, i.label, i.split) for i in items(folder)] == [
        ("cat/1.png", "cat", None),
        ("cat/2019/may/2.png", "cat", None),
        ("dog/1.png", "dog", None),
    ]


def test_split_folders(make_folder, picture):
    folder = make_folder(
        {f"{split}/{label}/1.png": picture(0) for split in ("Train", "valid", "test") for label in "ab"}
    )
    assert [(i.label, i.split) for i in items(folder)] == [
        (label, split) for split in ("train", "test", "val") for label in "ab"
    ]


def test_a_class_may_be_called_train(make_folder, picture):
    folder = make_folder({"train/1.png": picture(0), "bus/1.png": picture(1)})
    assert {i.label for i in items(folder)} == {"train", "bus"}


def test_split_folders_beside_others_are_refused(make_folder, picture):
    folder = make_folder({f"{name}/a/1.png": picture(0) for name in ("train", "test", "extra")})
    with pytest.raises(PlateauError, match=r"split folders \(test, train\) stand beside others \(extra\)"):
        items(folder)


def test_hidden_files_and_file_managers_leftovers_are_no_data(make_folder, picture):
    junk = ("cat/.DS_Store", "cat/Thumbs.db", "cat/._1.png", ".git/x.png", "__MACOSX/1.png", "README.md")
    folder = make_folder({"cat/1.png": picture(0), "dog/1.png": picture(1)} | dict.fromkeys(junk, b"x"))
    assert [i.image_id for i in items(folder)] == ["cat/1.png", "dog/1.png"]


def test_links_that_leave_are_quarantined_and_others_followed(
    make_folder, class_files, picture, prepared, tmp_path
):
    folder = make_folder(class_files())
    outside = make_folder({"secret.png": picture(77)}, "outside")
    (folder / "cat/leaves.png").symlink_to(outside / "secret.png")
    (folder / "cat/inside.png").symlink_to(folder / "dog/00.png")
    (folder / "cat/nothing.png").symlink_to(folder / "cat/gone.png")
    dataset = prepared(folder, max_unreadable=0.2)
    assert "cat/inside.png" in set(dataset.manifest["image_id"])
    found = pd.read_parquet(tmp_path / "prepared/quarantine.parquet")
    reasons = {
        os.path.basename(source): reason
        for source, reason in zip(found["source"], found["reason"], strict=True)
    }
    assert reasons == {"leaves.png": "a link that leaves the folder", "nothing.png": "a link to nothing"}


@pytest.mark.parametrize("place", ["fish", "cat/more"])
def test_folders_that_are_links_are_refused(make_folder, class_files, picture, place):
    folder = make_folder(class_files())
    (folder / place).symlink_to(make_folder({"1.png": picture(0)}, "outside"), target_is_directory=True)
    with pytest.raises(PlateauError, match=f"'{place}' is a link to a folder outside"):
        items(folder)


def test_a_link_in_a_circle_is_refused(make_folder, class_files):
    folder = make_folder(class_files())
    (folder / "cat/again").symlink_to(folder, target_is_directory=True)
    with pytest.raises(PlateauError, match="inside it already"):
        items(folder)


def test_pipes_do_not_block(make_folder, class_files, prepared, tmp_path):
    folder = make_folder(class_files())
    os.mkfifo(folder / "cat/pipe.png")
    prepared(folder, max_unreadable=0.1)
    assert pd.read_parquet(tmp_path / "prepared/quarantine.parquet")["reason"].tolist() == [
        "not a regular file"
    ]


def test_names_that_are_no_utf8(make_folder, class_files, encode, picture, prepared):
    folder = make_folder(class_files())
    with open(os.fsencode(folder) + b"/cat/caf\xe9.png", "wb") as file:
        file.write(encode(picture(50)))
    assert "cat/caf\\xe9.png" in set(prepared(folder).manifest["image_id"])


def test_accents_composed_or_not_are_one_class(make_folder, picture):
    folder = make_folder({"train/caf\u00e9/1.png": picture(0), "test/cafe\u0301/1.png": picture(1)})
    assert {i.label for i in items(folder)} == {"caf\u00e9"}


def test_a_folder_without_class_folders(make_folder, picture):
    with pytest.raises(PlateauError, match=r"data\.path: .* holds no class folders"):
        items(make_folder({"1.png": picture(0)}))


def test_class_folders_without_images(tmp_path, make_folder, prepared):
    (tmp_path / "images/cat").mkdir(parents=True)
    with pytest.raises(PlateauError, match="holds no images"):
        prepared(tmp_path / "images")
