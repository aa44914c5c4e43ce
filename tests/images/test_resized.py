import os
import time

import numpy as np
import pytest

from plateau_cause.config.recipe import Preprocessing
from plateau_cause.errors import PlateauError
from plateau_cause.images import blocks, resized
from plateau_cause.images.preprocessing import resize_all

SMALLER = Preprocessing(size=12, interpolation="bilinear")


@pytest.fixture
def nothing_in_memory(monkeypatch):
    monkeypatch.setattr(blocks, "MOST_IN_MEMORY_BYTES", 0)
    monkeypatch.setattr(resized, "AT_ONCE_BYTES", 0)


def expected(dataset, spatial=SMALLER):
    return resize_all(dataset.store, range(len(dataset)), spatial)


def test_a_small_set_makes_no_file(tiny_dataset, tmp_path):
    np.testing.assert_array_equal(
        resized.whole(tiny_dataset, SMALLER, tmp_path / "p"), expected(tiny_dataset)
    )
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize("kept", [True, False])
def test_mapped_pixels_are_the_same(tiny_dataset, tmp_path, nothing_in_memory, kept):
    found = resized.whole(tiny_dataset, SMALLER, tmp_path / "p" if kept else None)
    np.testing.assert_array_equal(found, expected(tiny_dataset))
    found[0] = 0  # as training might: it stays in this process
    if kept:
        again = resized.whole(tiny_dataset, SMALLER, tmp_path / "p")
        np.testing.assert_array_equal(again, expected(tiny_dataset))


def test_a_file_is_made_once_per_content(tiny_dataset, tmp_path, nothing_in_memory, monkeypatch):
    resized.whole(tiny_dataset, SMALLER, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(resized, "resize_all", lambda *_: pytest.fail("resized again"))
        resized.whole(tiny_dataset, SMALLER, tmp_path)
    resized.whole(tiny_dataset, Preprocessing(size=12, interpolation="nearest"), tmp_path)
    resized.whole(tiny_dataset.subset(np.arange(40)), SMALLER, tmp_path)
    assert len(list(tmp_path.iterdir())) == 3


def test_a_file_that_was_cut_is_made_anew(tiny_dataset, tmp_path, nothing_in_memory):
    resized.whole(tiny_dataset, SMALLER, tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-1])
    np.testing.assert_array_equal(resized.whole(tiny_dataset, SMALLER, tmp_path), expected(tiny_dataset))


def test_nothing_is_left_of_a_failure(tiny_dataset, tmp_path, nothing_in_memory, monkeypatch):
    monkeypatch.setattr(resized, "resize_all", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        resized.whole(tiny_dataset, SMALLER, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_old_files_go(tiny_dataset, tmp_path, nothing_in_memory, monkeypatch):
    sizes = [Preprocessing(size=size) for size in (8, 10, 12)]
    resized.whole(tiny_dataset, sizes[0], tmp_path)
    (unused,) = tmp_path.iterdir()
    os.utime(unused, (time.time() - resized.KEPT_S - 9,) * 2)
    resized.whole(tiny_dataset, sizes[1], tmp_path)
    assert not unused.exists()
    (older,) = tmp_path.iterdir()
    monkeypatch.setattr(resized, "KEPT_BYTES", 90 * 3 * 12 * 12 + 5)
    resized.whole(tiny_dataset, sizes[2], tmp_path)
    assert not older.exists()
    assert len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_is_said(tiny_dataset, tmp_path, nothing_in_memory, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(PlateauError, match="no room for"):
        resized.whole(tiny_dataset, SMALLER, tmp_path)


def test_resized_when_asked_for(tiny_dataset, monkeypatch):
    monkeypatch.setattr(resized, "AT_ONCE_BYTES", 0)
    monkeypatch.setattr(resized, "at_once", lambda size: 16)
    rows = np.array([5, 80, 3] * 20)
    images = resized.Resized(tiny_dataset.store, rows, SMALLER)
    whole = resize_all(tiny_dataset.store, rows, SMALLER)
    assert len(images) == 60
    for part in (slice(0, 8), slice(8, 16), slice(16, 24), slice(12, 40), slice(56, 99), slice(0, 4)):
        np.testing.assert_array_equal(images[part], whole[part])
