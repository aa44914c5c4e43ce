"""Findings about the features as plain types, for JSON and tables."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from plateau_cause.features import noise, probes, shift
from plateau_cause.features.learning_curve import LearningCurve

if TYPE_CHECKING:
    from plateau_cause.images.store import Dataset

Fitted = dict[str, tuple[probes.KnnProbe, probes.LinearProbe]]


def predictions(dataset: Dataset, fitted: Fitted) -> pd.DataFrame:
    """Returns per image the linear probe's class and its probability of the right one, under every view."""
    table: pd.DataFrame = dataset.manifest[["image_id", "split", "target"]].reset_index(drop=True)
    for name, (_, linear) in fitted.items():
        right = linear.probabilities[np.arange(len(table)), dataset.targets]
        table[f"{name}_prediction"], table[f"{name}_probability"] = linear.predictions, right
    return table


def probe_levels(dataset: Dataset, fitted: Fitted, curve: LearningCurve, best: str) -> dict[str, Any]:
    """Returns accuracies per view and split, chance, majority share of the test split, learning curve."""
    counts = np.bincount(dataset.targets[dataset.indices("test")], minlength=len(dataset.classes))
    views = {
        name: {
            "knn": {"accuracy": dict(knn.accuracy), "k": knn.k, "by_k": dict(knn.by_k)},
            "linear_probe": {"accuracy": dict(linear.accuracy), "regularization": linear.regularization},
            "bayes_error_at_least": probes.bayes_error_bound(knn.one_nn_error, len(dataset.classes)),
        }
        for name, (knn, linear) in fitted.items()
    }
    levels = {"chance": 1.0 / len(dataset.classes), "majority": float(counts.max() / max(1, counts.sum()))}
    return {"views": views, **levels, "best_view": best, "learning_curve": asdict(curve)}


def shift_test(found: shift.Shift, classes: tuple[str, ...]) -> dict[str, Any]:
    """Returns statistics, intervals and p-values, per class by its name."""
    per_class = {classes[c]: {"mmd": t.statistic, "p": t.p_value} for c, t in found.classes.items()}
    return {
        "mmd": found.mmd.statistic,
        "mmd_p": found.mmd.p_value,
        "auc": found.classifier.statistic,
        "auc_interval": found.classifier.interval,
        "auc_p": found.classifier.p_value,
        "distance_sd": found.distance_sd,
        "sizes": found.sizes,
        "classes": per_class,
    }


def label_noise(found: noise.LabelNoise, dataset: Dataset) -> dict[str, Any]:
    """Returns rates, intervals, the joint, and every flagged image by manifest row and id."""
    ids, names = dataset.manifest["image_id"].to_numpy(), dataset.classes
    columns = zip(found.rows, found.suggested, found.score, found.purity, found.is_noise, strict=True)
    flagged = [
        {
            "row": int(row),
            "image_id": str(ids[row]),
            "label": names[dataset.targets[row]],
            "suggested": names[suggested],
            "score": float(score),
            "purity": float(purity),
            "kind": "noise" if is_noise else "overlap",
        }
        for row, suggested, score, purity, is_noise in columns
    ]
    scalars = ("rate", "interval", "overlap_rate", "concentration", "symmetry", "joint")
    return {**{name: getattr(found, name) for name in scalars}, "flagged": flagged}
