"""Gathers what the pictures of training show: curves of signals, predictions, images, the loss landscape."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from plateau_cause import artifacts
from plateau_cause.causes.limited_data import TIMES
from plateau_cause.config.params import ARMS
from plateau_cause.images.store import Dataset, open_dataset
from plateau_cause.pipeline import paths
from plateau_cause.report import changes

SIGNALS = ["epoch", "block", "gradient_norm", "update_ratio"]


def gather_training(root: Path, found: dict[str, Any]) -> dict[str, Any]:
    """Returns entries of ReportContent: fix, signals, predictions, changed, landscape and tuned.

    Args:
        root: of the repository.
        found: the record of the intervene stage.
    """
    dataset = open_dataset(root / paths.PREPARED)
    fix = found["recommended"]["name"]
    predictions = before_after(artifacts.read_parquet(root / paths.ARM_PREDICTIONS), fix)
    return {
        "fix": fix,
        "signals": {arm: signals(root, arm) for arm in ARMS},
        "predictions": predictions,
        "changed": changes.examples(dataset, predictions),
        "landscape": artifacts.read_arrays(root / paths.LANDSCAPE),
        "tuned": tuned(dataset, found),
    }


def before_after(predictions: pd.DataFrame, fix: str) -> pd.DataFrame:
    """Returns one row per test image: image_id, label, what the recipe sees in it and what this run sees."""
    seen = {name: rows.reset_index(drop=True) for name, rows in predictions.groupby("arm")}
    ids = seen["recipe"][["image_id", "label"]]
    return ids.assign(before=seen["recipe"]["predicted"], after=seen[fix]["predicted"])


def signals(root: Path, arm: str) -> pd.DataFrame:
    """Returns what an arm's training said about itself, under its first seed."""
    key = artifacts.read_json(root / paths.arm_record(arm))["keys"][0]
    rows = artifacts.read_json(root / paths.arm(arm) / f"{key}.json")["outcome"]["signals"]
    return pd.DataFrame(rows, columns=SIGNALS).astype({"gradient_norm": float, "update_ratio": float})


def tuned(dataset: Dataset, found: dict[str, Any]) -> pd.DataFrame | None:
    """Returns the best recipe's test accuracy over training images; None where nobody measured it."""
    finding = next((entry for entry in found["data"] if entry["cause"] == "limited_data"), None)
    more = None if finding is None else finding["levels"].get("more_data")
    if finding is None or more is None:
        return None
    halved = next(run["test_accuracy"] for run in found["runs"] if run["name"] == finding["runs"][0])
    n, part = len(dataset.indices("train")), next(iter(finding["subsets"].values()))
    return pd.DataFrame(
        {
            "n": [part, n, TIMES * n],
            "accuracy": [halved, more - finding["effect"], more],
            "measured": [True, True, False],
        }
    )
