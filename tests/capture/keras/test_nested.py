"""Arrays nested in tuples and dicts: joined, in part, and as numbers of classes; no Keras is needed."""

import numpy as np
import pytest

from plateau_cause.capture.keras_child.nested import chosen, class_numbers, first_array, joined, rows


@pytest.mark.parametrize(
    ("labels", "numbers"),
    [
        (np.eye(3)[[2, 0]], [2, 0]),
        (np.array([[0.9, 0.05, 0.05], [0.1, 0.1, 0.8]]), [0, 2]),  # smoothed, or mixed
        (np.array([[1, 1, 0], [0, 1, 1]]), None),  # several at a time, or levels
        (np.array([[1], [0]]), [1, 0]),
        (np.array([4.0, 2.0]), [4, 2]),
        (np.array([[0.31], [4.7]]), None),  # numbers of a regression
        ({"species": np.zeros(2)}, None),
        (None, None),
    ],
)
def test_numbers_of_classes(labels, numbers):
    found = class_numbers(labels)
    assert (None if found is None else found.tolist()) == numbers


def test_parts_of_what_is_nested():
    given = {"image": np.arange(4), "size": [np.arange(4), np.arange(4) + 10]}
    assert first_array(given).tolist() == [0, 1, 2, 3]
    assert rows(given, 1, 3)["size"][1].tolist() == [11, 12]
    assert chosen(given, [3, 0])["image"].tolist() == [3, 0]
    assert joined([(np.zeros(2), None), (np.ones(1), None)])[0].tolist() == [0.0, 0.0, 1.0]
