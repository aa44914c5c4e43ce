import numpy as np
import pytest
from PIL import Image

from plateau_cause.images import duplicates, hashes, statistics


def described(prepared, folder, **options):
    return statistics.describe(prepared(folder, **options))


@pytest.fixture
def split_files(picture):
    """Six different pictures per split and class."""
    names = [
        f"{split}/{label}/{n}.png" for split in ("train", "val", "test") for label in "ab" for n in range(6)
    ]
    return {name: picture(seed, (96, 72)) for seed, name in enumerate(names)}


def test_nothing_planted_nothing_found(make_folder, split_files, prepared):
    found = described(prepared, make_folder(split_files))
    assert found.pairs.empty
    assert found.leaked.empty
    assert found.conflicts.empty
    assert statistics.metrics(found)["duplicates"] == {"exact": 0, "near": 0, "search_complete": True}


def test_the_digits_are_not_flooded(tmp_path):
    from plateau_cause.config.params import Data
    from plateau_cause.images.prepare import prepare
    from plateau_cause.images.store import open_dataset

    prepare(Data(), tmp_path / "prepared")
    found = statistics.describe(open_dataset(tmp_path / "prepared"))
    assert len(found.pairs) <= 1
    assert found.conflicts.empty


def test_copies_of_small_pictures_at_several_sizes_are_one_picture(make_folder, prepared):
    """Enlarged to 32 to 37 px and saved as JPEG: what limited data is halved by, and what a leak is."""
    from sklearn.datasets import load_digits

    scans = (load_digits().images[:20] * 255 / 16).round().astype(np.uint8)
    copies = {
        f"train/{'ab'[row % 2]}/{row}_{more}.jpg": Image.fromarray(scan)
        .convert("RGB")
        .resize((32 + more, 32 + more), Image.Resampling.BICUBIC)
        for row, scan in enumerate(scans)
        for more in range(6)
    }
    found = described(prepared, make_folder(copies))
    assert len(np.unique(found.duplicates.near)) == 20


def test_exact_copies_leak(make_folder, split_files, prepared):
    split_files["test/a/copy.png"] = split_files["train/a/0.png"]
    split_files["val/a/copy.png"] = split_files["train/a/0.png"]
    split_files["train/a/copy.png"] = split_files["train/a/1.png"]  # no leak: both in train
    found = described(prepared, make_folder(split_files))
    assert found.pairs["kind"].tolist() == ["exact"] * 3
    assert found.leaked[["image_id", "kind", "twin_id", "twin_split"]].to_numpy().tolist() == [
        ["test/a/copy.png", "exact", "train/a/0.png", "train"],
        ["val/a/copy.png", "exact", "train/a/0.png", "train"],
    ]
    assert statistics.metrics(found)["leaked"] == {
        "val": {"exact": 1, "near": 0},
        "test": {"exact": 1, "near": 0},
    }
    assert found.conflicts.empty


def test_a_copy_in_val_and_test_leaks_once(make_folder, split_files, prepared):
    split_files["test/a/copy.png"] = split_files["val/a/0.png"]
    found = described(prepared, make_folder(split_files)).leaked
    assert found[["image_id", "twin_split"]].to_numpy().tolist() == [["test/a/copy.png", "val"]]


@pytest.mark.parametrize(
    "change",
    [
        lambda image, encode: encode(image, "JPEG", quality=50),
        lambda image, encode: encode(image.resize((192, 144), Image.Resampling.BICUBIC)),
        lambda image, encode: encode(image.resize((48, 36))),
        lambda image, encode: encode(image.point(lambda value: min(255, value + 2))),
    ],
    ids=["jpeg", "double", "half", "brighter"],
)
def test_near_copies_leak(make_folder, split_files, prepared, encode, change):
    split_files["test/b/near.png"] = change(split_files["train/b/3.png"], encode)
    found = described(prepared, make_folder(split_files))
    assert found.pairs[["image_id_first", "image_id_second", "kind"]].to_numpy().tolist() == [
        ["test/b/near.png", "train/b/3.png", "near"]
    ]
    assert found.leaked[["image_id", "kind", "twin_id"]].to_numpy().tolist() == [
        ["test/b/near.png", "near", "train/b/3.png"]
    ]


@pytest.mark.parametrize("quality", [None, 60])
def test_conflicting_labels(make_folder, split_files, prepared, encode, quality):
    image = split_files["train/a/2.png"]
    split_files["train/b/same.png"] = (
        encode(image) if quality is None else encode(image, "JPEG", quality=quality)
    )
    kind = "exact" if quality is None else "near"
    found = described(prepared, make_folder(split_files))
    assert found.conflicts[["image_id", "label", "kind"]].to_numpy().tolist() == [
        ["train/a/2.png", "a", kind],
        ["train/b/same.png", "b", kind],
    ]
    assert found.pairs["is_conflict"].tolist() == [True]


def test_images_of_low_contrast_are_not_all_alike(make_folder, prepared):
    rng = np.random.default_rng(0)
    files = {}
    for n in range(40):
        faint = Image.fromarray(rng.integers(120, 136, (6, 6)).astype(np.uint8)).resize(
            (60, 60), Image.Resampling.BICUBIC
        )
        files[f"{'ab'[n % 2]}/{n}.png"] = faint
    assert described(prepared, make_folder(files)).pairs.empty


def test_the_search_ends_in_a_flood(make_folder, split_files, encode, prepared, monkeypatch):
    for quality in range(60, 75):
        split_files[f"train/a/q{quality}.jpg"] = encode(split_files["train/a/0.png"], "JPEG", quality=quality)
    monkeypatch.setattr(duplicates, "MOST_PAIRS", 10)
    found = described(prepared, make_folder(split_files))
    assert not found.duplicates.is_complete
    assert len(found.pairs) > 10


def test_hashes_do_not_depend_on_how_many_are_compared_at_once(
    make_folder, split_files, encode, prepared, monkeypatch
):
    split_files["test/a/near.jpg"] = encode(split_files["train/a/0.png"], "JPEG", quality=60)
    folder = make_folder(split_files)
    whole = described(prepared, folder).pairs
    monkeypatch.setattr(duplicates, "PAIRS_AT_ONCE", 50)
    monkeypatch.setattr(hashes, "PAIRS_AT_ONCE", 50)
    assert described(prepared, folder).pairs.equals(whole)
    assert len(whole) == 1


def test_bands_find_the_pairs_that_all_pairs_find(make_folder, split_files, encode, prepared, monkeypatch):
    for n, quality in enumerate((50, 60, 75, 90)):
        split_files[f"test/a/near{n}.jpg"] = encode(split_files[f"train/a/{n}.png"], "JPEG", quality=quality)
        split_files[f"val/b/half{n}.png"] = encode(split_files[f"train/b/{n}.png"].resize((48, 36)))
    split_files["test/b/copy.png"] = split_files["train/b/5.png"]
    folder = make_folder(split_files)
    whole = described(prepared, folder)
    monkeypatch.setattr(hashes, "MOST_COMPARED", 10)
    banded = described(prepared, folder)
    assert banded.pairs.equals(whole.pairs)
    assert len(whole.pairs) == 9
    assert (banded.duplicates.near == whole.duplicates.near).all()
    assert whole.duplicates.is_complete
    assert not banded.duplicates.is_complete
