"""Which images are shown: the right ones, one of each confusion first, small."""

import numpy as np
import pandas as pd
import pytest

from plateau_cause.report import changes

ROWS = [
    ("a", "cat", "dog", "cat"),
    ("b", "cat", "dog", "cat"),
    ("c", "cat", "cow", "cat"),
    ("d", "cow", "cat", "cow"),
    ("e", "cow", "cow", "dog"),
    ("f", "dog", "dog", "dog"),
    ("g", "dog", "cat", "cow"),
    ("h", "cat", "dog", "cat"),
]


@pytest.fixture
def predictions():
    return pd.DataFrame(ROWS, columns=["image_id", "label", "before", "after"])


def test_what_changed_sides(predictions):
    fixed, broken = changes.split(predictions)
    assert fixed["image_id"].tolist() == ["a", "b", "c", "d", "h"]
    assert broken["image_id"].tolist() == ["e"]  # g was wrong and still is


def test_one_of_each_confusion_first_the_most_frequent_first(predictions):
    fixed, _ = changes.split(predictions)
    assert changes.choose(fixed, 3)["image_id"].tolist() == ["a", "c", "d"]
    assert changes.choose(fixed, 8)["image_id"].tolist() == ["a", "c", "d", "b", "h"]
    assert changes.choose(fixed.iloc[:0]).empty


def test_examples_hold_the_images_of_the_store(tiny_dataset):
    ids = tiny_dataset.manifest["image_id"]
    rows = [(ids[7], "blue", "red", "blue"), (ids[40], "green", "green", "red")]
    table = pd.DataFrame(rows, columns=["image_id", "label", "before", "after"])
    first, second = changes.examples(tiny_dataset, table)
    assert np.array_equal(first.image, tiny_dataset.store.image(7))
    assert (second.label, second.before, second.after) == ("green", "green", "red")
    assert changes.examples(tiny_dataset, table.assign(after=table["before"])) == []


@pytest.mark.parametrize("shape", [(300, 100), (100, 300), (8, 8), (64, 64), (4000, 1)])
def test_thumbnails_are_small_and_keep_their_shape(shape):
    image = np.zeros((*shape, 3), np.uint8)
    small = changes.thumbnail(image)
    assert max(small.shape[:2]) == min(max(shape), changes.LONGEST_PX)
    assert small.shape[0] / small.shape[1] == pytest.approx(shape[0] / shape[1], rel=0.05) or 1 in small.shape
