"""Curves ask for another rate where they overshoot or stand still, and for none where they are well."""

from __future__ import annotations

import math

import pytest

from plateau_cause.diagnosis.symptoms import HIGH, LOW, has_learned, is_unfinished, suspect


def epochs(losses, accuracy, moved=0.1):
    layers = {"conv": {"change": moved, "norm": 1.0, "statistics": None},
              "bn": {"change": 0.0, "norm": 0.0, "statistics": 0.5}}  # fmt: skip
    return [{"training": {"loss": loss, "accuracy": accuracy}, "moved": layers} for loss in losses]


@pytest.mark.parametrize(
    ("losses", "accuracy", "moved", "change", "expected"),
    [
        ([1.2, 0.5, 0.2], 0.95, 0.1, 1e-3, None),
        ([4.0, 2.5, 1.4], 0.3, 0.9, 1e-3, HIGH),
        ([math.nan, math.nan], 0.25, 0.9, 1e-3, HIGH),
        ([1.2, 0.8], 0.7, 0.4, 0.5, HIGH),
        ([1.39, 1.38, 1.37], 0.3, 0.001, 1e-5, LOW),
        ([1.39, 1.38, 1.37], 0.3, 0.5, 1e-3, HIGH),  # it wanders about and learns nothing: one run tells
        ([1.39, 1.38, 1.37], 0.3, 0.1, 1e-3, LOW),
        ([1.39, 1.38, 1.37], 0.5, 0.1, 1e-3, None),  # it learns
        ([1.39], 0.3, 0.1, 1e-3, None),  # one epoch: more are asked
        ([1.39, 1.1, 0.90, 0.85], 0.6, 0.01, 1e-5, LOW),  # it learns, and ever so slowly
        ([1.39, 1.1, 0.90, 0.7], 0.6, 0.01, 1e-5, None),  # fast: longer is what is asked
        ([1.39, 1.1, 0.90, 0.85], 0.6, 0.0, 1e-5, None),  # no layer that is known moved
        ([0.30, 0.29], 0.95, 0.001, 1e-5, None),
        ([], None, 0.1, None, None),
    ],
)
def test_what_the_curves_say(losses, accuracy, moved, change, expected):
    assert suspect(epochs(losses, accuracy, moved), 4, change) == expected


@pytest.mark.parametrize(
    ("accuracies", "losses", "expected"),
    [
        ([0.3, 0.9], [1.2, 0.3], True),
        ([0.1, 0.1], [2.3, 0.02], True),  # evaluated otherwise than trained: it learned all the same
        ([None, None], [2.3, 0.1], True),
        ([0.1, 0.1], [2.4, 2.3], False),
        ([0.1, 0.1], [0.1, 0.09], False),  # a loss of another scale
        ([0.1, 0.1], [-0.1, -0.9], False),
        ([0.1, 0.1], [2.3, math.nan], False),
        ([], [], False),
    ],
)
def test_what_fitted_its_batches_has_learned(accuracies, losses, expected):
    assert has_learned(accuracies, losses, 10) is expected


@pytest.mark.parametrize(
    ("losses", "accuracy", "expected"),
    [
        ([1.4], 0.4, True),  # a single epoch
        ([1.4, 0.9], 0.6, True),
        ([1.4, 0.9, 0.88], 0.6, False),  # it has stopped falling
        ([1.4, 0.3], 0.95, False),  # little is left to learn
        ([1.4, math.nan], 0.2, False),
        ([None, None], 0.2, False),
        ([], None, False),
    ],
)
def test_what_was_still_falling_is_unfinished(losses, accuracy, expected):
    assert is_unfinished(epochs(losses, accuracy)) is expected
