"""A subsample keeps what it is drawn from: classes, splits, rare ones."""

import numpy as np
import pandas as pd
import pytest

from plateau_cause.errors import PlateauError
from plateau_cause.images.subsample import subsample


def images(counts, split=None):
    labels = [label for label, count in counts.items() for _ in range(count)]
    ids = [f"{label}/{row:04d}" for row, label in enumerate(labels)]
    given = pd.Series(split if split is not None else [None] * len(ids), dtype=object)
    return pd.DataFrame({"image_id": ids, "label": labels, "split": given})


def test_a_subsample_keeps_proportions_of_classes_and_given_splits():
    found = images({"a": 400, "b": 200}, split=(["train"] * 150 + ["test"] * 50) * 3)
    kept = found.iloc[subsample(found, 60, 0)]
    assert kept.groupby(["label", "split"]).size().tolist() == [10, 30, 5, 15]


def test_a_subsample_keeps_rare_classes_and_its_size():
    found = images({"a": 1000, "b": 900, "rare": 4, "rarer": 2})
    rows = subsample(found, 50, 0)
    assert len(rows) == 50
    assert (np.diff(rows) > 0).all()
    assert found.iloc[rows]["label"].value_counts()[["rare", "rarer"]].tolist() == [3, 2]
    shuffled = found.sample(frac=1, random_state=1)
    again = shuffled.iloc[subsample(shuffled, 50, 0)]["image_id"]
    assert set(again) == set(found.iloc[rows]["image_id"])


def test_a_subsample_too_small_for_its_classes():
    with pytest.raises(PlateauError, match=r"data\.max_images: got 5; allowed: at least 6"):
        subsample(images({"a": 10, "b": 10}), 5, 0)


def test_no_subsample_where_there_are_fewer():
    assert subsample(images({"a": 2, "b": 2}), 10, 0).tolist() == [0, 1, 2, 3]
