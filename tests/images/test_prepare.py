import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from plateau_cause.config.params import Data, Split
from plateau_cause.errors import PlateauError
from plateau_cause.images.item import Item
from plateau_cause.images.manifest import COLUMNS
from plateau_cause.images.prepare import prepare, prepare_reference
from plateau_cause.images.store import open_dataset


def test_digits_are_stored_as_they_are(tmp_path):
    from sklearn.datasets import load_digits

    counts = prepare(Data(), tmp_path / "prepared")
    dataset = open_dataset(tmp_path / "prepared")
    assert (counts.images, counts.classes, counts.unreadable) == (1797, 10, 0)
    assert (counts.train, counts.val, counts.test) == (1079, 359, 359)
    scans = load_digits()
    for row in (0, 1000, 1796):
        assert dataset.store.image(row).shape == (8, 8, 3)
        np.testing.assert_allclose(dataset.store.image(row)[..., 0], scans.images[row] * 255 / 16, atol=0.51)
        assert dataset.classes[dataset.targets[row]] == str(scans.target[row])
    assert dataset.manifest["image_id"][7] == "digits-0007"


def test_manifest_store_and_dataset_fit_together(make_folder, class_files, prepared):
    folder = make_folder(class_files(("b", "a"), 10))
    dataset = prepared(folder, stored_size=16)
    assert list(dataset.manifest.columns) == list(COLUMNS)
    assert dataset.classes == ("a", "b")
    assert len(dataset) == len(dataset.store) == 20
    for row, found in dataset.manifest.iterrows():
        image = dataset.store.image(row)
        assert image.shape == (found["stored_height"], found["stored_width"], 3) == (12, 16, 3)
        expected = Image.open(folder / found["image_id"]).resize(
            (16, 12), Image.Resampling.BICUBIC, reducing_gap=3.0
        )
        assert (image == np.asarray(expected)).all()
        assert (found["width"], found["height"]) == (40, 30)
    parts = [dataset.indices(name) for name in ("train", "val", "test")]
    assert sorted(np.concatenate(parts)) == list(range(20))
    assert [len(part) for part in parts] == [12, 4, 4]
    with pytest.raises(ValueError, match="read-only"):
        dataset.store.image(0)[:] = 0


def test_the_same_files_give_the_same_bytes_and_digest(make_folder, class_files, prepared, tmp_path):
    folder = make_folder(class_files())
    first, second = prepared(folder, "first"), prepared(folder, "second")
    assert first.digest == second.digest
    for name in ("pixels.bin", "manifest.parquet", "classes.json", "quarantine.parquet"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


def test_the_order_of_the_source_changes_nothing(monkeypatch, class_files, encode, tmp_path):
    items = [
        Item(name, name, name.split("/")[0], lambda image=image: encode(image))
        for name, image in class_files().items()
    ]
    digests = set()
    for order in (1, -1):
        monkeypatch.setattr("plateau_cause.images.sources.read", lambda *_, order=order: items[::order])
        prepare(Data(), tmp_path / "prepared")
        digests.add(open_dataset(tmp_path / "prepared").digest)
    assert len(digests) == 1


@pytest.mark.parametrize("change", ["pixel", "label", "seed"])
def test_the_digest_sees_pixels_labels_and_splits(make_folder, class_files, picture, prepared, change):
    files = class_files()
    before = prepared(make_folder(files), "before").digest
    if change == "pixel":
        files["cat/00.png"] = picture(999)
    if change == "label":
        files["dog/99.png"] = files.pop("cat/00.png")
    options = {"split": Split(seed=1)} if change == "seed" else {}
    assert prepared(make_folder(files, "changed"), "after", **options).digest != before


def bad_files(encode, picture):
    jpeg = encode(picture(1, (300, 200)), "JPEG")
    return {"cat/zero.png": b"", "cat/half.jpg": jpeg[: len(jpeg) // 2], "dog/notes.png": b"no picture"}


def test_unreadable_files_are_quarantined_with_their_reason(
    make_folder, class_files, encode, picture, prepared, tmp_path
):
    folder = make_folder(class_files() | bad_files(encode, picture))
    dataset = prepared(folder, max_unreadable=0.2)
    assert len(dataset) == 20
    found = pd.read_parquet(tmp_path / "prepared/quarantine.parquet")
    reasons = {
        source.rpartition("/")[2]: reason
        for source, reason in zip(found["source"], found["reason"], strict=True)
    }
    assert set(reasons) == {"zero.png", "half.jpg", "notes.png"}
    assert "empty" in reasons["zero.png"]
    assert "truncated" in reasons["half.jpg"]
    assert "not an image" in reasons["notes.png"]


def test_nothing_bad_leaves_an_empty_quarantine(make_folder, class_files, prepared, tmp_path):
    prepared(make_folder(class_files()))
    found = pd.read_parquet(tmp_path / "prepared/quarantine.parquet")
    assert found.empty
    assert list(found.columns) == ["source", "reason"]


def test_too_many_unreadable_files_stop_with_one_line_and_leave_nothing(
    make_folder, class_files, encode, picture, tmp_path
):
    folder = make_folder(class_files() | bad_files(encode, picture))
    with pytest.raises(
        PlateauError, match=r"data\.max_unreadable: 3 of 23 files \(13\.0%\).*zero\.png|half\.jpg"
    ) as error:
        prepare(Data(source="imagefolder", path=str(folder)), tmp_path / "prepared")
    assert "\n" not in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ["images"]


def test_a_failure_leaves_what_was_there(make_folder, class_files, prepared, tmp_path):
    before = prepared(make_folder(class_files())).digest
    with pytest.raises(PlateauError, match="one class"):
        prepare(
            Data(source="imagefolder", path=str(make_folder(class_files(("cat",)), "single"))),
            tmp_path / "prepared",
        )
    assert open_dataset(tmp_path / "prepared").digest == before


def test_max_images(make_folder, class_files, prepared):
    dataset = prepared(make_folder(class_files(("a", "b"), 20)), max_images=12)
    assert dataset.manifest["label"].value_counts().tolist() == [6, 6]


def test_class_names_can_be_anything(make_folder, class_files, prepared, tmp_path):
    names = ("<b>x", "Ünïcode 猫", "a,b;'c' \"d\"", "$x^$", "NA")
    dataset = prepared(make_folder(class_files(names, 5)))
    assert dataset.classes == tuple(sorted(names))
    assert json.loads((tmp_path / "prepared/classes.json").read_text("utf-8")) == sorted(names)


def test_reference_data_need_neither_classes_nor_splits(make_folder, class_files, tmp_path):
    folder = make_folder(class_files(("photo",), 4))
    counts = prepare_reference(Data(source="imagefolder", path=str(folder)), tmp_path / "reference")
    assert counts == {"reference_images": 4, "reference_unreadable": 0}
    assert len(open_dataset(tmp_path / "reference")) == 4


def test_without_reference_data_the_folder_is_there(tmp_path):
    assert prepare_reference(None, tmp_path / "reference") == {}
    assert (tmp_path / "reference").is_dir()


def test_unknown_sources_are_refused(tmp_path):
    with pytest.raises(
        PlateauError, match=r"data\.source: got 'nowhere'; allowed: .*digits, imagefolder, table"
    ):
        prepare(Data(source="nowhere", path="x"), tmp_path / "prepared")
