import numpy as np
import pytest

from plateau_cause.images import blocks


def test_slices_cover_all_rows():
    assert list(blocks.slices(5, 2)) == [slice(0, 2), slice(2, 4), slice(4, 5)]
    assert list(blocks.slices(0, 2)) == []


@pytest.mark.parametrize("most_bytes", [None, 0])
def test_scratch_is_zeros_that_can_be_written_and_leaves_no_file(tmp_path, most_bytes):
    found = blocks.scratch((4, 3), np.float32, tmp_path / "here", most_bytes)
    assert (found == 0).all()
    found[2] = 7
    assert found.sum() == 21
    assert list(tmp_path.rglob("*.*")) == []


@pytest.mark.parametrize("bound", [0, 2**20])
def test_rows_are_gathered(tmp_path, monkeypatch, bound):
    monkeypatch.setattr(blocks, "MOST_IN_MEMORY_BYTES", bound)
    rows = np.arange(20, dtype=np.float32).reshape(10, 2)
    found = blocks.Gathered(10, tmp_path)
    for some in blocks.slices(10, 3):
        found.add(rows[some])
    np.testing.assert_array_equal(found.array(), rows)


def test_missing_rows_are_noticed():
    found = blocks.Gathered(3)
    with pytest.raises(ValueError, match="0 of 3"):
        found.array()
    found.add(np.zeros((2, 1)))
    with pytest.raises(ValueError, match="2 of 3"):
        found.array()
