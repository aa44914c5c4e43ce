"""What stage intervene leaves: its record and curves on disk, and one MLflow run per swap."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from plateau_cause import artifacts
from plateau_cause.diagnosis import record
from plateau_cause.diagnosis.diagnose import Diagnosed
from plateau_cause.lab.laboratory import Laboratory
from plateau_cause.pipeline.arm_files import log_result, predictions, settings
from plateau_cause.tracking.null_run import NullRun

ARMS, HITS = "arms.json", "arm_predictions.parquet"  # what `plateau compare` reads


def write(
    root: Path,
    lab: Laboratory,
    diagnosed: Diagnosed,
    found: dict[str, Any],
    surface: dict[str, np.ndarray],
) -> None:
    """Writes data/interventions (with the arrays of the loss landscape) and reports/intervene.json."""
    with artifacts.atomic_folder(root / "data/interventions") as folder:
        artifacts.write_json(folder / "findings.json", found)
        artifacts.write_parquet(folder / "curves.parquet", record.curves(diagnosed))
        artifacts.write_csv(folder / "suspect_labels.csv", suspect_labels(diagnosed))
        arms = {name: settings(lab, result) for name, result in diagnosed.runs.items()}
        artifacts.write_json(folder / ARMS, arms)
        artifacts.write_parquet(folder / HITS, all_predictions(lab, diagnosed))
        artifacts.write_arrays(folder / "landscape.npz", **surface)
    artifacts.write_json(root / "reports/intervene.json", metrics(found))


def metrics(found: dict[str, Any]) -> dict[str, float]:
    """Returns what `dvc metrics` compares: effects, and the accuracy of recipe, reference and best run."""
    effects = {f"effect_{item['cause']}": item["effect"] for item in [*found["swaps"], *found["data"]]}
    accuracy = {run["name"]: run["test_accuracy"] for run in found["runs"]}
    named = {name: accuracy[name] for name in ("recipe", "reference")}
    named["recommended"] = accuracy[found["recommended"]["name"]]
    return {**effects, **{f"test_accuracy_{name}": value for name, value in named.items()}}


def track(run: NullRun, lab: Laboratory, diagnosed: Diagnosed) -> None:
    """Logs every swap as a run of its own, named as in the report."""
    for name, result in diagnosed.runs.items():
        if name not in ("recipe", "reference"):
            with run.child(name, {"arm": name, "seed": result.arm.seed}) as child:
                log_result(child, lab, result)


def all_predictions(lab: Laboratory, diagnosed: Diagnosed) -> pd.DataFrame:
    """Returns one row per arm and test image: arm, and the columns of `arm_files.predictions`."""
    tables = [predictions(lab, result).assign(arm=name) for name, result in diagnosed.runs.items()]
    return pd.concat(tables, ignore_index=True)


def suspect_labels(diagnosed: Diagnosed) -> pd.DataFrame:
    """Returns the training images whose label looks wrong, the most doubtful first."""
    columns = ["image_id", "label", "suggested", "score", "purity", "kind"]
    return pd.DataFrame(diagnosed.facts.noise["flagged"], columns=columns)
