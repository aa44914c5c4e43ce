import numpy as np
import pytest

from plateau_cause.images import sample
from plateau_cause.images.sample import sampled, stratified_sample


@pytest.fixture
def table():
    """Targets and splits of 5,000 images, class 3 rare."""
    random = np.random.default_rng(0)
    targets = random.choice(4, 5000, p=[0.5, 0.3, 0.195, 0.005])
    return targets, random.choice(3, 5000, p=[0.6, 0.2, 0.2]).astype(np.int8)


def test_rows_are_ascending_and_as_many_as_wanted(table):
    rows = stratified_sample(*table, 400)
    assert len(rows) == 400
    assert (np.diff(rows) > 0).all()


def test_the_same_seed_draws_the_same(table):
    one, again, other = (stratified_sample(*table, 400, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


def test_classes_and_splits_keep_their_shares_and_rare_ones_a_few(table):
    targets, splits = table
    rows = stratified_sample(targets, splits, 400)
    for target in range(4):
        for split in range(3):
            there = ((targets == target) & (splits == split)).sum()
            kept = ((targets[rows] == target) & (splits[rows] == split)).sum()
            assert kept == pytest.approx(there * 400 / 5000, abs=2.0) or kept == min(there, sample.FEWEST)


def test_a_smaller_sample_lies_within_a_larger_one(table):
    small, large = (stratified_sample(*table, size) for size in (150, 900))
    assert set(small) <= set(large)


def test_more_than_wanted_only_where_a_few_of_each_are_more():
    targets, splits = np.repeat(np.arange(50), 40), np.tile([0, 0, 1, 2], 500)
    assert len(stratified_sample(targets, splits, 100)) == 50 * 3 * sample.FEWEST


def test_names_of_splits_do_as_well(table):
    targets, splits = table
    named = np.array(["train", "val", "test"])[splits]
    assert len(stratified_sample(targets, named, 300)) == 300


def test_a_small_set_is_taken_as_a_whole(table):
    np.testing.assert_array_equal(stratified_sample(*table, 5000), np.arange(5000))


def test_of_a_data_set(tiny_dataset, monkeypatch):
    assert sampled(tiny_dataset) is None
    monkeypatch.setattr(sample, "SIZE", 45)
    monkeypatch.setattr(sample, "PER_CLASS", 1)
    rows = sampled(tiny_dataset)
    part = tiny_dataset.subset(rows)
    assert len(part) == 45
    assert part.classes == tiny_dataset.classes
    assert [len(part.indices(split)) for split in ("train", "val", "test")] == [27, 9, 9]
    for place in (0, 20, 44):
        np.testing.assert_array_equal(part.store.image(place), tiny_dataset.store.image(rows[place]))
        assert part.manifest["image_id"][place] == tiny_dataset.manifest["image_id"][rows[place]]
    monkeypatch.setattr(sample, "PER_CLASS", 40)  # more than there are
    assert sampled(tiny_dataset) is None
