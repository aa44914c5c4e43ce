"""What the report is made of: plain values, gathered by the summarize stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@dataclass(frozen=True)
class Example:
    """A test image on which recipe and fix disagree.

    Attributes:
        image: (H, W, 3) uint8, small.
        label: its class.
        before, after: the classes that recipe and fix see in it.
    """

    image: np.ndarray
    label: str
    before: str
    after: str


@dataclass(frozen=True)
class ReportContent:
    """Everything the report shows.

    Attributes:
        summary: the content of plateau_cause.json (see plateau_cause.schema.json). Keys beyond the contract
            that the report uses where they are given: `min_effect`, `notes`, `would_settle`,
            `levels.more_data`, `levels.label_noise_ceiling`, and `title` and `explanation` of a cause.
        title: what was diagnosed, such as "digits · tf_efficientnet_lite0".
        curves: one row per arm and epoch with columns arm, epoch, train_accuracy, val_accuracy, train_loss,
            val_loss, learning_rate. Arms: "recipe", "reference", "recipe + <factor>", "reference - <factor>".
        runs: per run `name`, `run_id`, `url` (or None), `test_accuracy`, `train_accuracy`, `cost_s`.
        differences: per factor in which the recipes differ: `factor`, `recipe`, `reference` (both as text).
        dataset: facts in the order to show them: name to number, text, list or mapping.
        profile: per view the layers of the batch-norm profile: `layer`, `depth`, `kl`, `z`, `rho`.
        projection: joint UMAP with columns x, y, label, split, view.
        trustworthiness: of the projection, 0..1 (Venna and Kaski 2001).
        learning_curve: test accuracy by number of training images: columns n, accuracy (NaN where
            extrapolated), fit_low, fit_high (the bracket of the two fits).
        tuned: the same of the best recipe, trained on a part and on all of the images: columns n, accuracy,
            measured (False where extrapolated).
        fix: name of the run that is recommended; "recipe" where none is better.
        signals: per arm ("recipe", "reference") one row per epoch and block: epoch, block, gradient_norm,
            update_ratio; blocks in the order of the network.
        predictions: per test image image_id, label, before (as the recipe sees it), after (as the fix does).
        changed: a few test images on which both disagree and one is right.
        landscape: arrays by name, see `plateau_cause.lab.landscape.survey`.
    """

    summary: dict[str, Any]
    title: str
    curves: pd.DataFrame
    runs: Sequence[Mapping[str, Any]] = ()
    differences: Sequence[Mapping[str, Any]] = ()
    dataset: Mapping[str, Any] = field(default_factory=dict)
    profile: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    projection: pd.DataFrame | None = None
    trustworthiness: float | None = None
    learning_curve: pd.DataFrame | None = None
    tuned: pd.DataFrame | None = None
    fix: str = "recipe"
    signals: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    predictions: pd.DataFrame | None = None
    changed: Sequence[Example] = ()
    landscape: Mapping[str, np.ndarray] = field(default_factory=dict)
