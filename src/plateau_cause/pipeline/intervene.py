"""Stage intervene: swap the factors in which the arms differ, test what the data may lack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from plateau_cause import artifacts, tracking
from plateau_cause.capture import own_functions
from plateau_cause.config import params
from plateau_cause.config.params import ARMS, Params
from plateau_cause.diagnosis import record, reference
from plateau_cause.diagnosis.alarms import Seen, alarms
from plateau_cause.diagnosis.diagnose import Diagnosed, diagnose
from plateau_cause.features.views import load_views
from plateau_cause.lab import landscape, store
from plateau_cause.lab.laboratory import Laboratory
from plateau_cause.lab.rates import Rates
from plateau_cause.lab.store import Result
from plateau_cause.pipeline import arms, paths, script_swaps
from plateau_cause.pipeline.bench import open_laboratory
from plateau_cause.tracking.run import Run


def main() -> None:
    """Reads both arms, features and probes; writes data/interventions and reports/intervene.json."""
    given = params.load(paths.PARAMS)
    if given.recipe.script is not None:
        script_swaps.main(given, Path())
        return
    lab, rates = open_laboratory(given, Path())
    with tracking.stage_run(given, "intervene") as run:
        diagnosed, found = diagnose_arms(lab, rates, given, Path())
        pair = diagnosed.runs["recipe"], diagnosed.runs["reference"]
        surface = landscape.survey(lab, *pair) if given.diagnosis.landscape else {}
        track(run, lab, diagnosed)
        write(Path(), lab, diagnosed, found, surface)


def diagnose_arms(
    lab: Laboratory, rates: Rates, given: Params, root: Path
) -> tuple[Diagnosed, dict[str, Any]]:
    """Returns the diagnosis of the two trained arms, and its record in plain types."""
    about = {arm: artifacts.read_json(root / paths.arm_record(arm)) for arm in ARMS}
    results = {arm: [_load(root, arm, key) for key in about[arm]["keys"]] for arm in ARMS}
    noise = artifacts.read_json(root / paths.NOISE)
    split_auc = float(artifacts.read_json(root / paths.SHIFT_TESTS)["split"]["auc"])
    views, _ = load_views(root / paths.FEATURES)
    before_s = rates.seconds
    diagnosed = diagnose(
        lab,
        rates,
        results["recipe"],
        results["reference"],
        given.diagnosis,
        noise,
        views,
        split_auc=split_auc,
        candidates=about["reference"]["candidates"],
        pictures=artifacts.read_parquet(root / paths.IMAGE_FACTS)["picture"].to_numpy(),
    )
    dataset = lab.dataset
    found = record.record(
        diagnosed,
        dataset.targets,
        dataset.indices("val"),
        dataset.indices("test"),
        given.diagnosis.min_effect,
    )
    found["findings"] = [located(item, given.recipe.code) for item in found["findings"]]
    found["alarms"] = [vars(alarm) for alarm in alarms(_seen(lab, diagnosed, given, root, split_auc))]
    extra = max(0.0, rates.seconds - before_s - about["reference"]["range_test_seconds"])
    return diagnosed, {**found, "reference_seconds": about["reference"]["seconds"], "extra_seconds": extra}


def located(item: dict[str, Any], code: str | None) -> dict[str, Any]:
    """Returns a finding with where the user's file decides it: location, patch, and the line in the fix."""
    own = item.get("own")
    if code is None or own is None or "recipe.code" not in item["fix"]:
        return item
    cause = item["cause"] if own.get("in_plain_sight", True) else ""
    place = own_functions.locate(Path(code), cause, own["functions"][0], own["entries"])
    if place is None:
        return item
    words = item["fix"]["recipe.code"].removeprefix("in your file: ")
    said = {"recipe.code": f"{Path(code).name}, line {place.line}, {place.function}(): {words}"}
    patch = {} if place.patch is None else {"patch": place.patch}
    return {**item, "fix": said, "location": {"file": code, "line": place.line}, **patch}


def _seen(lab: Laboratory, diagnosed: Diagnosed, given: Params, root: Path, split_auc: float) -> Seen:
    """Returns what was measured of the recipe and the data, for the alarms."""
    dataset, recipe, evidence = lab.dataset, diagnosed.runs["recipe"], diagnosed.evidence
    leaked = artifacts.read_parquet(root / paths.LEAKAGE)
    return Seen(
        classes=dataset.classes,
        predictions=recipe.outcome.test_outputs.argmax(1),
        labels=dataset.targets[dataset.indices("test")],
        val_accuracy=evidence.val_accuracy,
        val_images=len(dataset.indices("val")),
        leaked={split: _copies(leaked, split) / len(dataset.indices(split)) for split in ("val", "test")},
        split_auc=split_auc,
        probe_val=max(evidence.probe_recipe, evidence.probe_canonical),
        best_val=reference.validation(lab, diagnosed.recommended),
        min_effect=given.diagnosis.min_effect,
    )


def _copies(leaked: pd.DataFrame, split: str) -> int:
    """Returns how many images of a split copy a training image."""
    own = leaked[(leaked["split"] == split) & (leaked["twin_split"] == "train")]
    return int(own["image_id"].nunique())


def write(
    root: Path,
    lab: Laboratory,
    diagnosed: Diagnosed,
    found: dict[str, Any],
    surface: dict[str, np.ndarray],
) -> None:
    """Writes data/interventions (with the arrays of the loss landscape) and reports/intervene.json."""
    with artifacts.atomic_folder(root / paths.INTERVENTIONS) as folder:
        artifacts.write_json(folder / paths.FINDINGS.name, found)
        artifacts.write_parquet(folder / paths.CURVES.name, record.curves(diagnosed))
        artifacts.write_csv(folder / paths.SUSPECT_LABELS.name, suspect_labels(diagnosed))
        settings = {name: arms.settings(lab, result) for name, result in diagnosed.runs.items()}
        artifacts.write_json(folder / paths.ARM_SETTINGS.name, settings)
        artifacts.write_parquet(folder / paths.ARM_PREDICTIONS.name, all_predictions(lab, diagnosed))
        artifacts.write_arrays(folder / paths.LANDSCAPE.name, **surface)
    artifacts.write_json(root / paths.metrics("intervene"), metrics(found))


def metrics(found: dict[str, Any]) -> dict[str, float]:
    """Returns what `dvc metrics` compares: effects, and the accuracy of recipe, reference and best run."""
    effects = {f"effect_{item['cause']}": item["effect"] for item in [*found["findings"], *found["data"]]}
    accuracy = {run["name"]: run["test_accuracy"] for run in found["runs"]}
    named = {name: accuracy[name] for name in ("recipe", "reference")}
    named["recommended"] = accuracy[found["recommended"]["name"]]
    return {**effects, **{f"test_accuracy_{name}": value for name, value in named.items()}}


def track(run: Run, lab: Laboratory, diagnosed: Diagnosed) -> None:
    """Logs every swap as a run of its own, named as in the report."""
    for name, result in diagnosed.runs.items():
        if name not in ARMS:
            with run.child(name, {"arm": name, "seed": result.arm.seed}) as child:
                arms.log(child, lab, result)


def all_predictions(lab: Laboratory, diagnosed: Diagnosed) -> pd.DataFrame:
    """Returns one row per arm and test image: arm, and the columns of `arms.predictions`."""
    tables = [arms.predictions(lab, result).assign(arm=name) for name, result in diagnosed.runs.items()]
    return pd.concat(tables, ignore_index=True)


def suspect_labels(diagnosed: Diagnosed) -> pd.DataFrame:
    """Returns the training images whose label looks wrong, the most doubtful first."""
    columns = ["image_id", "label", "suggested", "score", "purity", "kind"]
    return pd.DataFrame(diagnosed.facts.noise["flagged"], columns=columns)


def _load(root: Path, arm: str, key: str) -> Result:
    result = store.load(root / paths.arm(arm), key)
    assert result is not None, f"{paths.arm(arm)} is incomplete"
    return result
