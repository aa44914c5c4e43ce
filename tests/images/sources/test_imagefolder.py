import os
import socket

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


@pytest.mark.parametrize(
    ("names", "is_refused"),
    [
        (("Train", "validaton", "tset"), True),
        (("trian", "test"), True),
        (("indoor", "outdoor"), False),  # classes whose images lie in folders of the same names
        (("train", "bus"), False),
    ],
)
def test_misspelled_split_folders_are_no_classes(make_folder, picture, names, is_refused):
    folder = make_folder({f"{name}/{inner}/1.png": picture(0) for name in names for inner in ("cat", "dog")})
    if not is_refused:
        assert {i.label for i in items(folder)} == set(names)
        return
    with pytest.raises(PlateauError, match=r"hold the same class folders, as splits do; got .*did you mean"):
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
    assert reasons == {
        "leaves.png": "a link that leaves the folder",
        "nothing.png": "a link to nothing, or in a circle",
    }


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


def test_what_people_keep_beside_images_is_no_image(make_folder, picture):
    names = ("notes.txt", "labels.csv", "1.json", "README.MD", "1.xml", "@eaDir/1.png")
    files = {"cat/1.png": picture(0), "dog/1.png": picture(1)}
    folder = make_folder(files | {f"cat/{name}": b"x" for name in names})
    assert [i.image_id for i in items(folder)] == ["cat/1.png", "dog/1.png"]


def test_side_files_do_not_turn_a_split_folder_into_a_class(make_folder, picture):
    files = {f"{split}/{label}/1.png": picture(0) for split in ("train", "test") for label in "ab"}
    folder = make_folder(files | {"train/labels.csv": b"x", "test/README.txt": b"x"})
    assert {(i.label, i.split) for i in items(folder)} == {(a, s) for a in "ab" for s in ("train", "test")}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"pets.zip": b"PK"}, "but pets.zip, an archive: unpack it"),
        ({"1.png": b"x", "2.png": b"x", "labels.csv": b"x"}, "but 2 files, such as 1.png"),
        ({"labels.csv": b"x"}, "holds no class folders; allowed"),
    ],
)
def test_what_stands_in_place_of_class_folders_is_named(make_folder, files, said):
    with pytest.raises(PlateauError, match=said):
        items(make_folder(files))


def test_links_in_a_circle_and_sockets_are_quarantined(make_folder, class_files, prepared, tmp_path):
    folder = make_folder(class_files())
    (folder / "cat/a.png").symlink_to("b.png")
    (folder / "cat/b.png").symlink_to("a.png")
    (folder / "loop").symlink_to("loop")  # beside the class folders: no class
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(folder / "cat/s.png"))
    prepared(folder, max_unreadable=0.3)
    reasons = pd.read_parquet(tmp_path / "prepared/quarantine.parquet")["reason"].tolist()
    assert reasons == ["a link to nothing, or in a circle"] * 2 + ["not a regular file"]


def test_signs_that_steer_a_terminal_are_written_out(make_folder, picture):
    folder = make_folder({"c\x1b[31mat/1\x07.png": picture(0), "d\u202eog/1.png": picture(1)})
    assert {i.label for i in items(folder)} == {"c\\x1b[31mat", "d\\x202eog"}
    assert all(i.image_id.isprintable() and i.source.isprintable() for i in items(folder))
