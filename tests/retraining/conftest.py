"""A data set of today with features, and the training set of a model of yesterday."""

from dataclasses import replace

import numpy as np
import pytest

from plateau_cause.config.params import BackboneParams
from plateau_cause.features.views import View
from plateau_cause.retraining import training_set

WIDTH = 12
BACKBONE = BackboneParams(name="tiny", weights="none")


def features_of(dataset, shift=0.0):
    """Returns (N, D) features: the class in the first, noise in all."""
    random = np.random.default_rng(0)
    found = random.normal(0, 1, (len(dataset), WIDTH)).astype(np.float32)
    found[:, 0] += dataset.targets + shift
    return found


def view_of(features):
    return View(features, "none", None, {})


@pytest.fixture
def today(tiny_dataset):
    """90 images, 54 / 18 / 18 in train / val / test."""
    return tiny_dataset


@pytest.fixture
def yesterday(today):
    """What a model learned from that had every second image of today."""
    rows = np.arange(0, len(today), 2)
    manifest = today.manifest.iloc[rows].reset_index(drop=True)
    known = replace(today, manifest=manifest)
    return training_set.describe(known, view_of(features_of(today)[rows]), BACKBONE)
