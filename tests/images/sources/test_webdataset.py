import gzip
import io
import tarfile

import pandas as pd
import pytest

from plateau_cause.config.params import Columns, Data
from plateau_cause.errors import PlateauError
from plateau_cause.images.sources import read


@pytest.fixture
def shard(tmp_path):
    """A function: writes {"cat.cls": b"cat", ...} as a shard."""

    def write(members, name="0.tar"):
        path = tmp_path / "shards" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(path, "w") as archive:
            for member, content in members.items():
                found = tarfile.TarInfo(member)
                found.size = len(content)
                archive.addfile(found, io.BytesIO(content))
        return path

    return write


def items(path, **columns):
    return list(read(Data(source="webdataset", path=str(path), columns=Columns(**columns))))


def test_ids_labels_and_places(shard):
    path = shard({"a/1.cls": b"cat\n", "a/1.jpg": b"one", "2.PNG": b"two", "2.cls": b"dog"}, "in/0.tar")
    found = items(path.parents[1])
    assert [(i.image_id, i.label, i.split, i.group) for i in found] == [
        ("in/0.tar/a/1", "cat", None, None),
        ("in/0.tar/2", "dog", None, None),
    ]
    assert [i.load() for i in found] == [b"one", b"two"]
    assert str(path) in found[0].source


def test_labels_splits_and_groups_of_json(shard):
    metadata = b'{"label": 7, "split": "Validation", "group": "g1", "caption": "x"}'
    path = shard({"1.jpg": b"x", "1.json": metadata, "2.jpg": b"x", "2.json": b"[]", "2.cls": b"3"})
    assert [(i.label, i.split, i.group) for i in items(path)] == [("7", "val", "g1"), ("3", None, None)]


def test_a_label_in_a_file_of_another_ending(shard):
    path = shard({"1.jpg": b"x", "1.species": b"cat", "1.cls": b"0"})
    assert items(path, label="species")[0].label == "cat"


def test_class_names_beside_the_shards(shard):
    path = shard({f"{row}.{end}": b"%d" % row for row in range(4) for end in ("cls", "jpg")})
    (path.parent / "classnames.txt").write_text("crane\ncat\ncrane\n", encoding="utf-8")
    found = items(path.parent)
    assert [i.label for i in found[:3]] == ["crane (0)", "cat", "crane (2)"]
    assert found[3].refused == "no label"


def test_incomplete_samples_are_refused_and_hidden_files_are_none(shard):
    found = items(shard({"1.cls": b"cat", "2.jpg": b"x", "._3.jpg": b"x", "4.jpg": b"x", "4.cls": b" \n"}))
    assert [i.refused for i in found] == ["no image", "no label", "no label"]


def test_several_images_need_a_choice(shard):
    path = shard({"1.input.png": b"in", "1.mask.png": b"mask", "1.cls": b"cat"})
    with pytest.raises(PlateauError, match=r"data\.columns\.image: got 'image'.*\(input\.png, mask\.png\)"):
        items(path)
    assert items(path, image="input.png")[0].load() == b"in"


def test_an_unknown_split(shard):
    with pytest.raises(PlateauError, match=r"data\.columns\.split: got 'tain'; did you mean train\?"):
        items(shard({"1.jpg": b"x", "1.json": b'{"label": 1, "split": "tain"}'}))


def test_links_and_folders_inside_are_no_images(shard):
    path = shard({"1.jpg": b"x", "1.cls": b"cat"})
    with tarfile.open(path, "a") as archive:
        for name, kind in (("2.jpg", tarfile.SYMTYPE), ("3", tarfile.DIRTYPE)):
            found = tarfile.TarInfo(name)
            found.type, found.linkname = kind, "/etc/passwd"
            archive.addfile(found)
    assert [i.image_id for i in items(path)] == ["0.tar/1"]


@pytest.mark.parametrize("damage", ["compressed", "cut", "cut between", "text"])
def test_what_is_no_uncompressed_tar(shard, damage):
    path = shard({f"{row}.jpg": b"x" * 2000 for row in range(9)})
    whole = path.read_bytes()
    damaged = {
        "compressed": gzip.compress(whole),
        "cut": whole[:4000],
        "cut between": whole[: 2 * 2560],
        "text": b"text " * 500,
    }
    path.write_bytes(damaged[damage])
    with pytest.raises(
        PlateauError, match=r"data\.path: .*0\.tar' cannot be read as an uncompressed \.tar file"
    ):
        items(path)


def test_a_shard_that_shrinks_after_it_was_listed(shard, tmp_path, encode, picture):
    from plateau_cause.images.prepare import prepare

    image = encode(picture(0))
    members = {f"{label}{row}.{end}": content for label in "ab" for row in range(9)
               for end, content in (("cls", label.encode()), ("png", image))}  # fmt: skip
    path = shard(members)
    found = items(path)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    with pytest.raises(Exception, match="truncated shard"):
        found[-1].load()
    assert found[0].load() == image
    with pytest.raises(PlateauError, match="uncompressed"):
        prepare(Data(source="webdataset", path=str(path)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_quarantined_image_says_where_it_was(shard, tmp_path, encode, picture):
    from plateau_cause.images.prepare import prepare

    members = {f"{label}{row}.{end}": content for label in "ab" for row in range(9)
               for end, content in (("cls", label.encode()), ("png", encode(picture(row))))}  # fmt: skip
    path = shard(members | {"bad.png": b"x", "bad.cls": b"a"})
    prepare(Data(source="webdataset", path=str(path), max_unreadable=0.1), tmp_path / "out")
    (row,) = pd.read_parquet(tmp_path / "out/quarantine.parquet").itertuples()
    assert row.source == f"{path}: bad"
    assert row.reason == "not an image, or of an unknown format"
