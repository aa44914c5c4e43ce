import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from plateau.data import appearance, duplicates, statistics
from plateau.data.manifest import prepare
from plateau.data.store import open_dataset
from plateau.params import Data


@pytest.fixture
def make(tmp_path):
    """Prepares a table of (image, label, split) and returns the data set."""

    def made(rows):
        table = []
        for index, (image, label, split) in enumerate(rows):
            image.save(tmp_path / f"{index}.png")
            table.append((f"{index}.png", label, split))
        pd.DataFrame(table, columns=["image", "label", "split"]).to_csv(tmp_path / "t.csv", index=False)
        prepare(Data(source="table", path=str(tmp_path / "t.csv")), tmp_path / "prepared")
        return open_dataset(tmp_path / "prepared")

    return made


@pytest.fixture
def rows(photo):
    """24 different pictures in two classes and three splits."""
    splits = ["train"] * 4 + ["val", "test"]
    return [(photo(i), "ab"[i % 2], splits[i % 6]) for i in range(24)]


def find(dataset):
    return duplicates.find(dataset, appearance.measure(dataset.store))


def jpeg(image, quality):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer)


def test_nothing_planted_nothing_found(make, rows):
    found = statistics.describe(make(rows))
    assert len(found.duplicates) == len(found.leakage) == len(found.conflicts) == 0
    assert found.metrics["leaked_frac_test"] == found.metrics["label_conflicts"] == 0


def test_different_scans_of_digits_are_no_duplicates(tmp_path):
    prepare(Data(), tmp_path / "digits")
    assert len(find(open_dataset(tmp_path / "digits"))) == 0


def test_exact_copies_form_a_star_around_a_training_image(make, rows, photo):
    copies = [(photo(1), "b", "test"), (photo(1), "b", "train"), (photo(5), "b", "val")]
    pairs = find(make(rows + copies))
    assert pairs["kind"].tolist() == ["exact"] * 3
    assert {(row.row_a, row.row_b) for row in pairs.itertuples()} == {(1, 24), (1, 25), (26, 5)}
    assert (pairs["difference"] == 0).all()


@pytest.mark.parametrize(
    "change",
    [
        lambda image: jpeg(image, 80),
        lambda image: image.resize((30, 22), Image.Resampling.BICUBIC),
        lambda image: Image.fromarray((np.asarray(image) * 0.98).astype(np.uint8)),
    ],
    ids=["recompressed", "resized", "a little darker"],
)
def test_near_copies_are_found(make, rows, photo, change):
    pairs = find(make([*rows, (change(photo(0)), "a", "train")]))
    assert pairs[["kind", "row_a", "row_b"]].to_numpy().tolist() == [["near", 0, 24]]
    assert 0 < pairs["difference"].item() <= duplicates.MOST_LIMIT


@pytest.mark.parametrize(
    "change",
    [
        lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        lambda image: image.crop((0, 0, 25, 20)),
        lambda image: image.convert("L").convert("RGB"),
    ],
    ids=["flipped", "cropped", "gray"],
)
def test_other_pictures_are_not(make, rows, photo, change):
    assert len(find(make([*rows, (change(photo(0)), "a", "train")]))) == 0


def test_leakage_is_found_with_training_in_front(make, rows, photo):
    planted = [(photo(0), "a", "test"), (jpeg(photo(1), 80), "b", "test"), (photo(2), "a", "train")]
    found = statistics.describe(make(planted + rows))
    assert set(zip(found.leakage["kind"], found.leakage["row_b"], strict=True)) == {("exact", 0), ("near", 1)}
    assert set(found.leakage["split_a"]) == {"train"} and set(found.leakage["split_b"]) == {"test"}
    assert found.metrics["leaking_pairs"] == 2
    assert found.metrics["leaked_frac_test"] == pytest.approx(2 / 6)
    assert found.metrics["leaked_frac_val"] == 0
    assert found.metrics["label_conflicts"] == 0


def test_conflicting_labels_are_found(make, rows, photo):
    found = statistics.describe(make([*rows, (photo(0), "b", "train"), (photo(2), "a", "train")]))
    assert found.conflicts[["label_a", "label_b"]].to_numpy().tolist() == [["a", "b"]]
    assert found.metrics["duplicates_exact"] == 2
    assert found.metrics["label_conflicts"] == 1


def test_thousands_of_plain_images_do_not_flood():
    gray = np.random.default_rng(0).integers(0, 256, 3000)
    thumbs = np.broadcast_to(gray[:, None, None, None], (3000, 16, 16, 3)).astype(np.uint8)
    assert (duplicates.difference_hash(thumbs) == 0).all()
    pairs = duplicates._candidates(np.zeros(3000, np.uint64), gray.astype(float))
    assert sum(map(len, pairs)) < 3000 * duplicates.BANDS * duplicates.MOST_NEIGHBORS


def test_the_hash_says_where_brightness_rises():
    ramp = np.broadcast_to(np.arange(0, 160, 10)[None, :, None], (16, 16, 3)).astype(np.uint8)
    found = duplicates.difference_hash(np.stack([ramp, ramp[:, ::-1], np.full_like(ramp, 9)]))
    assert [int(value).bit_count() for value in found] == [64, 0, 0]


def test_groups_that_cross_given_splits_are_told():
    manifest = pd.DataFrame(
        {"group": ["p", "p", "q", "q", None, None], "split": ["test", "train", "val", "val", "train", "test"]}
    )
    assert duplicates.crossing_groups(manifest).to_numpy().tolist() == [["p", "train, test"]]
    assert len(duplicates.crossing_groups(manifest.assign(group=None))) == 0
