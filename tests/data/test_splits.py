from collections import Counter

import numpy as np
import pytest

from plateau.data import splits
from plateau.errors import PlateauError

FRACTIONS = {"val": 0.2, "test": 0.2}
PINNED = "rreeerarrrrararrarre"  # second letters: tRain, vAl, tEst


def names(count):
    return [f"image-{i:04d}" for i in range(count)]


def assign(labels, given=None, groups=None, seed=0, ids=None, fractions=FRACTIONS):
    count = len(labels)
    none = [None] * count
    return splits.assign(ids or names(count), labels, given or none, groups or none, fractions, seed)


def test_exact_fractions_of_every_class():
    labels = ["a"] * 100 + ["b"] * 20
    assert Counter(zip(labels, assign(labels), strict=True)) == {
        ("a", "train"): 60, ("a", "val"): 20, ("a", "test"): 20,
        ("b", "train"): 12, ("b", "val"): 4, ("b", "test"): 4,
    }  # fmt: skip


def test_order_of_files_does_not_matter_and_the_seed_does():
    labels = [f"class {i % 7}" for i in range(200)]
    order = np.random.default_rng(0).permutation(200)
    found = assign(labels)
    shuffled = assign([labels[i] for i in order], ids=[names(200)[i] for i in order])
    assert np.array_equal(found[order], shuffled)
    assert not np.array_equal(found, assign(labels, seed=1))


def test_the_draw_is_the_same_on_any_machine():
    found = assign(["a", "b"] * 10)
    assert "".join(name[1] for name in found) == PINNED


def test_groups_never_cross_splits():
    random = np.random.default_rng(0)
    groups = [f"patient {i}" for i in random.integers(0, 40, 400)]
    labels = [f"class {i}" for i in random.integers(0, 3, 400)]
    found = assign(labels, groups=groups)
    assert all(len(set(found[np.array(groups) == group])) == 1 for group in set(groups))
    assert all(0.12 < (found == name).mean() < 0.28 for name in ("val", "test"))


def test_a_large_group_does_not_swallow_a_split():
    groups = ["all"] * 50 + ["few"] * 4 + ["some"] * 6
    found = assign(["a", "b"] * 30, groups=groups)
    assert (found[:50] == "train").all()
    assert set(found[50:]) == {"val", "test"}


def test_groups_that_are_all_too_large_still_give_all_splits():
    found = assign(
        ["a", "b"] * 45, groups=["x"] * 30 + ["y"] * 30 + ["z"] * 30, fractions={"val": 0.1, "test": 0.1}
    )
    assert set(found) == set(splits.SPLITS)


def test_many_tiny_classes_still_give_all_splits():
    labels = [f"class {i // 2}" for i in range(200)]
    found = assign(labels)
    assert Counter(found)["val"] == 40 and Counter(found)["test"] == 40
    assert len({label for label, name in zip(labels, found, strict=True) if name == "train"}) == 100


@pytest.mark.parametrize("fractions", [{"val": 0.01, "test": 0.01}, {"val": 0.49, "test": 0.5}])
def test_every_class_keeps_a_training_image_and_no_split_is_empty(fractions):
    labels = ["rare"] + ["a"] * 5 + ["b"] * 4
    found = assign(labels, fractions=fractions)
    assert set(found) == set(splits.SPLITS)
    assert {labels[i] for i in np.flatnonzero(found == "train")} == {"rare", "a", "b"}


def test_given_splits_win_and_have_many_names():
    given = ["Training"] * 6 + ["valid"] * 2 + [" TEST "] * 2
    assert assign(["a", "b"] * 5, given).tolist() == ["train"] * 6 + ["val"] * 2 + ["test"] * 2
    assert assign(["a", "b"] * 5, ["train"] * 6 + ["dev"] * 2 + ["test"] * 2)[6] == "val"


@pytest.mark.parametrize(("there", "missing"), [("test", "val"), ("val", "test")])
def test_what_is_missing_is_carved_from_train(there, missing):
    found = assign(["a", "b"] * 50, ["train"] * 80 + [there] * 20)
    assert (found[80:] == there).all()
    assert Counter(found[:80]) == {"train": 64, missing: 16}


@pytest.mark.parametrize(
    ("labels", "given", "message"),
    [
        (["a", "b"], None, "at least 3"),
        (["a", "a", "b"], None, "no image is left for val"),
        (["a", "b", "c", "d"], None, "no image is left for"),
        (["a", "b"] * 3, ["test"] * 6, "no image is left for train"),
        (["a", "b"] * 3, ["train"] * 5 + ["tset"], "data.columns.split: 'tset' is no split"),
    ],
)
def test_what_is_impossible_is_one_clear_line(labels, given, message):
    with pytest.raises(PlateauError, match=message) as caught:
        assign(labels, given)
    assert "\n" not in str(caught.value)


def test_subsample_keeps_proportions_and_every_class():
    labels = ["a"] * 900 + ["b"] * 90 + ["c"]
    rows = splits.subsample(names(991), labels, 100, 0)
    counts = Counter(labels[row] for row in rows)
    assert len(rows) == 100 and counts["c"] == 1 and counts["b"] in (9, 10)
    assert np.array_equal(rows, np.sort(rows))
    order = np.random.default_rng(0).permutation(991)
    again = splits.subsample([names(991)[i] for i in order], [labels[i] for i in order], 100, 0)
    assert set(order[again]) == set(rows)


def test_large_data_are_divided_in_linear_time():
    count = 100_000
    found = assign([f"class {i % 100}" for i in range(count)])
    assert Counter(found) == {"train": 60_000, "val": 20_000, "test": 20_000}
