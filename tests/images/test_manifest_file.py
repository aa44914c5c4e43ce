import numpy as np
import pandas as pd
import pytest

from plateau_cause.config.params import Data
from plateau_cause.images import blocks, listing, manifest_file
from plateau_cause.images.prepare import prepare
from plateau_cause.images.statistics import describe, metrics
from plateau_cause.images.store import open_dataset


@pytest.fixture
def both(make_folder, class_files, tmp_path, monkeypatch):
    """The same images prepared as few and as many."""

    def make(files=None, **options):
        data = Data(path=str(make_folder(files or class_files(count=13))), source="imagefolder", **options)
        counts = [prepare(data, tmp_path / "few")]
        with monkeypatch.context() as patch:
            patch.setattr(manifest_file, "HELD", 4)
            patch.setattr(listing, "MOST_HELD", 4)
            patch.setattr(blocks, "MOST_IN_MEMORY_BYTES", 0)
            counts.append(prepare(data, tmp_path / "many"))
        assert counts[0] == counts[1]
        return open_dataset(tmp_path / "few"), open_dataset(tmp_path / "many")

    return make


def assert_same(one, other):
    """Where no image has a group, the column holds None in one and NaN in the other."""
    filled = (table.fillna({"group": ""}) for table in (one, other))
    pd.testing.assert_frame_equal(*filled, check_dtype=False)


def test_a_mapped_manifest_is_the_same(both, tmp_path):
    few, many = both()
    assert not (tmp_path / "few/manifest.npy").exists()
    assert (tmp_path / "many/manifest.npy").exists()
    assert_same(few.manifest, many.manifest)
    assert (tmp_path / "few/pixels.bin").read_bytes() == (tmp_path / "many/pixels.bin").read_bytes()
    assert few.digest == many.digest
    assert few.classes == many.classes
    assert_same(few.manifest, pd.read_parquet(tmp_path / "many/manifest.parquet"))
    names = {path.name for path in (tmp_path / "many").iterdir()}
    assert names == {
        "pixels.bin", "manifest.parquet", "manifest.arrow", "manifest.npy", "quarantine.parquet",
        "classes.json",
    }  # fmt: skip


def test_so_is_what_is_made_of_it(both):
    few, many = both()
    assert metrics(describe(few)) == metrics(describe(many))
    np.testing.assert_array_equal(few.targets, many.targets)
    rows = np.array([3, 1, 20])
    assert_same(few.subset(rows).manifest, many.subset(rows).manifest)


def test_given_splits_stay(both, class_files):
    files = class_files(count=6)
    split = {f"{part}/{name}": content for part in ("train", "test") for name, content in files.items()}
    few, many = both(split)
    assert few.manifest["split"].tolist() == many.manifest["split"].tolist()
    assert set(few.manifest["split"]) == {"train", "val", "test"}


def test_a_part_of_many_is_chosen_alike(both):
    few, many = both(max_images=12)
    assert few.digest == many.digest
    assert len(few) == 12
