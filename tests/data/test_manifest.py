import re

import numpy as np
import pandas as pd
import pytest

from plateau import artifacts
from plateau.data.manifest import prepare
from plateau.data.store import open_dataset
from plateau.errors import PlateauError
from plateau.params import Data


def folder_data(path, **options):
    return Data(source="imagefolder", path=str(path), **options)


def test_digits_come_out_as_they_are(tmp_path):
    from sklearn.datasets import load_digits

    result = prepare(Data(), tmp_path / "prepared")
    dataset = open_dataset(tmp_path / "prepared")
    assert (result.images, result.classes, result.unreadable) == (1797, 10, 0)
    assert result.train + result.val + result.test == 1797
    assert dataset.manifest["image_id"].iloc[3] == "digits-0003"
    assert np.array_equal(dataset.targets, load_digits().target)
    assert dataset.store.image(0).max() == round(load_digits().images[0].max() * 255 / 16)


def test_the_manifest_is_what_later_stages_read(class_folders, tmp_path):
    result = prepare(folder_data(class_folders, stored_size=20), tmp_path / "prepared")
    dataset = open_dataset(tmp_path / "prepared")
    assert (result.images, result.train, result.val, result.test) == (20, 12, 4, 4)
    assert dataset.classes == ("<b>x", "plain")
    assert list(dataset.manifest) == [
        "image_id", "source", "label", "split", "group", "sha256", "width", "height", "stored_width",
        "stored_height", "offset", "target",
    ]  # fmt: skip
    assert dataset.manifest["image_id"].tolist()[:2] == ["<b>x/0.png", "<b>x/1.png"]
    assert dataset.targets.dtype == dataset.manifest["offset"].dtype == np.int64
    assert sorted(np.concatenate([dataset.indices(name) for name in ("train", "val", "test")])) == list(
        range(20)
    )
    row = dataset.manifest.iloc[0]
    assert (row["width"], row["height"], row["stored_width"], row["stored_height"]) == (40, 30, 20, 15)


def test_the_store_is_read_only_and_right(photo, class_folders, tmp_path):
    prepare(folder_data(class_folders), tmp_path / "prepared")
    store = open_dataset(tmp_path / "prepared").store
    assert len(store) == 20
    assert np.array_equal(store.image(13), np.asarray(photo(103)))
    assert not store.image(0).flags.writeable


def test_the_same_data_give_the_same_files(class_folders, tmp_path):
    for name in ("one", "two"):
        prepare(folder_data(class_folders), tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_the_digest_tells_pixels_labels_splits_and_order(photo, class_folders, tmp_path):
    def digest(**options):
        prepare(folder_data(class_folders, **options), tmp_path / "prepared")
        return open_dataset(tmp_path / "prepared").digest

    first = digest()
    assert first == digest()
    assert first != digest(max_images=19)
    assert first != digest(stored_size=16)
    photo(77).save(class_folders / "plain" / "3.png")
    assert first != digest()


def test_bad_files_are_quarantined_with_a_reason(class_folders, tmp_path):
    (class_folders / "plain" / "empty.png").write_bytes(b"")
    whole = (class_folders / "plain" / "0.png").read_bytes()
    (class_folders / "plain" / "half.png").write_bytes(whole[: len(whole) // 2])
    (class_folders / "plain" / "notes.txt").write_text("no picture")
    (class_folders / "plain" / "gone.png").symlink_to(class_folders / "nowhere.png")
    result = prepare(folder_data(class_folders, max_unreadable=0.5), tmp_path / "prepared")
    assert (result.images, result.unreadable) == (20, 4)
    table = artifacts.read_parquet(tmp_path / "prepared" / "quarantine.parquet")
    reasons = {source.rsplit("/", 1)[1]: reason for source, reason in table.itertuples(index=False)}
    assert reasons["empty.png"] == "empty file"
    assert reasons["half.png"].startswith("damaged: ")
    assert reasons["notes.txt"] == "not an image"
    assert reasons["gone.png"] == "cannot be read: No such file or directory"


def test_too_many_bad_files_stop_and_leave_what_was_there(class_folders, tmp_path):
    prepare(folder_data(class_folders), tmp_path / "prepared")
    before = (tmp_path / "prepared" / "manifest.parquet").read_bytes()
    (class_folders / "plain" / "empty.png").write_bytes(b"")
    with pytest.raises(
        PlateauError, match=r"data.max_unreadable: got 0.01, but 1 of 21 .*empty.png \(empty file\)"
    ):
        prepare(folder_data(class_folders), tmp_path / "prepared")
    assert (tmp_path / "prepared" / "manifest.parquet").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_messages_name_the_section(class_folders, tmp_path):
    for path in (class_folders / "plain").iterdir():
        path.write_bytes(b"")
    data = folder_data(class_folders)
    with pytest.raises(PlateauError, match=r"^reference_data\.max_unreadable: "):
        prepare(data, tmp_path / "reference", "reference_data")


def test_one_class_and_no_image(class_folders, tmp_path):
    for path in (class_folders / "plain").iterdir():
        path.unlink()
    with pytest.raises(PlateauError, match="one class, '<b>x'"):
        prepare(folder_data(class_folders), tmp_path / "prepared")
    for path in (class_folders / "<b>x").iterdir():
        path.write_bytes(b"")
    with pytest.raises(PlateauError, match=re.escape("holds no readable image; the first: ")):
        prepare(folder_data(class_folders), tmp_path / "prepared")
    assert not (tmp_path / "prepared").exists()


def test_two_images(photo, tmp_path):
    for name in ("a", "b"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        photo(0).save(tmp_path / "pictures" / name / "1.png")
    with pytest.raises(PlateauError, match="data: got 2 images; at least 3"):
        prepare(folder_data(tmp_path / "pictures"), tmp_path / "prepared")


def test_max_images_keeps_classes_or_says_so(class_folders, tmp_path):
    result = prepare(folder_data(class_folders, max_images=11), tmp_path / "prepared")
    assert (result.images, result.classes) == (11, 2)
    with pytest.raises(PlateauError, match=r"data\.max_images: got 1, fewer than the 2 classes"):
        prepare(folder_data(class_folders, max_images=1), tmp_path / "prepared")


def test_a_table_with_splits_and_groups(class_folders, tmp_path):
    images = sorted(path for path in class_folders.rglob("*.png"))
    rows = {"image": map(str, images), "label": [path.parent.name for path in images]}
    split = ["training", "training", "training", "dev", "test"] * 4
    group = [f"g{i // 2}" if i < 4 else None for i in range(20)]
    pd.DataFrame({**rows, "split": split, "group": group}).to_csv(class_folders / "t.csv", index=False)
    result = prepare(Data(source="table", path=str(class_folders / "t.csv")), tmp_path / "prepared")
    manifest = open_dataset(tmp_path / "prepared").manifest
    assert (result.train, result.val, result.test) == (12, 4, 4)
    assert manifest["split"].tolist() == ["train", "train", "train", "val", "test"] * 4
    assert manifest["group"].notna().sum() == 4 and manifest["group"].iloc[0] == "g0"


def test_a_folder_that_was_not_prepared(tmp_path):
    with pytest.raises(PlateauError, match="dvc repro prepare_data"):
        open_dataset(tmp_path)
