"""A planted shift is found, no shift is not; the same images are never on both sides."""

from dataclasses import replace

import numpy as np
import pytest

from plateau_cause.config.params import BackboneParams
from plateau_cause.retraining import drift

from .conftest import BACKBONE, features_of, view_of


def test_no_shift_where_there_is_none(today, yesterday):
    found = drift.measure(yesterday, today, view_of(features_of(today)), BACKBONE)
    assert (found.new_images, found.gone_images, found.note) == (45, 0, None)
    assert found.test["auc_p"] > 0.05
    assert found.test["sizes"] == (27, 45)
    assert found.moved_classes == []
    assert found.class_share_distance < 0.05


def test_a_shift_of_the_new_images_is_found(today, yesterday):
    features = features_of(today)
    features[1::2, 1:] += 2.0
    found = drift.measure(yesterday, today, view_of(features), BACKBONE)
    assert found.test["auc"] > 0.9
    assert found.test["auc_p"] < 0.05
    assert found.moved_classes == ["blue", "green", "red"]
    assert found.metrics["drift_moved_classes"] == 3
    assert found.metrics["drift_auc"] == found.test["auc"]


def test_a_shift_of_one_class_is_named(today, yesterday):
    features = features_of(today)
    rows = (np.arange(len(today)) % 2 == 1) & (today.targets == 1)
    features[rows, 1:] += 3.0
    assert drift.measure(yesterday, today, view_of(features), BACKBONE).moved_classes == ["green"]


def test_features_of_a_sample_are_tested_and_all_images_counted(today, yesterday):
    rows = np.arange(0, 90, 3)
    view = replace(view_of(features_of(today)[rows]), rows=rows)
    found = drift.measure(yesterday, today, view, BACKBONE)
    assert (found.new_images, found.test["sizes"]) == (45, (27, 15))
    assert found.test["auc_p"] > 0.05


def test_few_new_images_are_not_tested_but_counted(today, yesterday):
    kept = np.flatnonzero((np.arange(len(today)) % 2 == 0) | (np.arange(len(today)) < 6))
    now = replace(today, manifest=today.manifest.iloc[kept].reset_index(drop=True))
    found = drift.measure(yesterday, now, view_of(features_of(today)[kept]), BACKBONE)
    assert (found.new_images, found.test, found.note) == (3, None, "3 new images, too few to test")
    assert "drift_auc" not in found.metrics


def test_images_that_are_gone_are_counted(today, yesterday):
    now = replace(today, manifest=today.manifest.iloc[10:].reset_index(drop=True))
    assert drift.measure(yesterday, now, view_of(features_of(today)[10:]), BACKBONE).gone_images == 5


def test_features_of_another_network_are_not_compared(today, yesterday):
    other = BackboneParams(name="another", weights="none")
    found = drift.measure(yesterday, today, view_of(features_of(today)), other)
    assert found.test is None
    assert "another backbone" in found.note


@pytest.mark.parametrize(
    ("before", "after", "distance"),
    [
        ({"a": 5, "b": 5}, {"a": 50, "b": 50}, 0.0),
        ({"a": 1}, {"b": 1}, 1.0),
        ({"a": 3, "b": 1}, {"a": 1, "b": 1}, 0.25),
    ],
)
def test_class_shares(before, after, distance):
    assert drift.class_share_distance(before, after) == pytest.approx(distance)
