"""Stage intervene: swap the factors in which the arms differ, test what the data may lack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from plateau_cause import artifacts, tracking
from plateau_cause.capture.patches import own_functions
from plateau_cause.config import params
from plateau_cause.config.params import ARMS, OF_ALL, OF_PART, Params
from plateau_cause.diagnosis import record, reference
from plateau_cause.diagnosis.alarms import Seen, alarms
from plateau_cause.diagnosis.diagnose import Diagnosed
from plateau_cause.features.confident_learning import told_apart
from plateau_cause.features.views import load_views
from plateau_cause.lab import landscape, store
from plateau_cause.lab.laboratory import Laboratory
from plateau_cause.lab.rates import Rates
from plateau_cause.lab.store import Result
from plateau_cause.pipeline import arms, paths, script_swaps, working
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
        found = diagnose_arms(lab, rates, given, Path())
        pair = found.diagnosed.runs["recipe"], found.diagnosed.runs["reference"]
        surface = landscape.survey(found.lab, *pair) if given.diagnosis.landscape else {}
        track(run, found)
        write(Path(), found, surface)


@dataclass(frozen=True)
class Found:
    """A finished diagnosis.

    Attributes:
        lab: over the images that the swaps were trained on.
        diagnosed: what these showed.
        record: the same in plain types, and what all images said where the swaps had a part of them.
        whole: the laboratory over all images, and the runs there by name; none where `lab` is that.
    """

    lab: Laboratory
    diagnosed: Diagnosed
    record: dict[str, Any]
    whole: tuple[Laboratory, Mapping[str, Result]] | None = None

    def runs(self) -> Iterator[tuple[str, Laboratory, Result]]:
        """Yields name, laboratory and result of every run."""
        for name, result in self.diagnosed.runs.items():
            yield name, self.lab, result
        if self.whole is not None:
            for name, result in self.whole[1].items():
                yield name, self.whole[0], result


def diagnose_arms(lab: Laboratory, rates: Rates, given: Params, root: Path) -> Found:
    """Returns the diagnosis of the two trained arms."""
    about = {arm: artifacts.read_json(root / paths.arm_record(arm)) for arm in ARMS}
    ends = working.Ends(
        recipe=[_load(root, "recipe", key) for key in about["recipe"]["keys"]],
        reference=[_load(root, "reference", key) for key in about["reference"]["keys"]],
        candidates=about["reference"]["candidates"],
        seconds=about["reference"]["seconds"],
        range_test_seconds=about["reference"]["range_test_seconds"],
    )
    split_auc = float(artifacts.read_json(root / paths.SHIFT_TESTS)["split"]["auc"])
    views, _ = load_views(root / paths.FEATURES)
    facts = working.Facts(
        noise=artifacts.read_json(root / paths.NOISE),
        views=views,
        split_auc=split_auc,
        pictures=artifacts.read_parquet(root / paths.IMAGE_FACTS)["picture"].to_numpy(),
    )
    asked = working.diagnose(lab, rates, given, ends, facts)
    found = asked.record
    found["findings"] = [located(item, given.recipe.code) for item in found["findings"]]
    seen = _seen(lab, ends.recipe[0], asked, given, root, split_auc)
    found["alarms"] = [vars(alarm) for alarm in alarms(seen)]
    whole = None if asked.lab is lab else (lab, asked.of_all)
    return Found(asked.lab, asked.diagnosed, found, whole)


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


def _seen(
    lab: Laboratory, recipe: Result, asked: working.Asked, given: Params, root: Path, split_auc: float
) -> Seen:
    """Returns what was measured of the recipe and the data, with all images, for the alarms."""
    dataset, evidence = lab.dataset, asked.diagnosed.evidence
    noise = artifacts.read_json(root / paths.NOISE)
    leaked = artifacts.read_parquet(root / paths.LEAKAGE)
    return Seen(
        classes=dataset.classes,
        predictions=recipe.outcome.test_outputs.argmax(1),
        labels=dataset.targets[dataset.indices("test")],
        val_accuracy=reference.validation(lab, recipe),
        val_images=len(dataset.indices("val")),
        leaked={split: _copies(leaked, split) / len(dataset.indices(split)) for split in ("val", "test")},
        split_auc=split_auc,
        probe_val=max(evidence.probe_recipe, evidence.probe_canonical),
        best_val=asked.best,
        min_effect=given.diagnosis.min_effect,
        wrong_labels={part: (noise[part]["rate"], noise[part]["interval"][0],
                             told_apart(np.array(noise[part]["joint"])))
                      for part in ("train", "held_out")},
    )  # fmt: skip


def _copies(leaked: pd.DataFrame, split: str) -> int:
    """Returns how many images of a split copy a training image."""
    own = leaked[(leaked["split"] == split) & (leaked["twin_split"] == "train")]
    return int(own["image_id"].nunique())


def write(root: Path, found: Found, surface: dict[str, np.ndarray]) -> None:
    """Writes data/interventions (with the arrays of the loss landscape) and reports/intervene.json."""
    with artifacts.atomic_folder(root / paths.INTERVENTIONS) as folder:
        artifacts.write_json(folder / paths.FINDINGS.name, found.record)
        runs = {name: result for name, _, result in found.runs()}
        artifacts.write_parquet(folder / paths.CURVES.name, record.curves(runs))
        artifacts.write_csv(folder / paths.SUSPECT_LABELS.name, suspect_labels(found.diagnosed))
        settings = {name: arms.settings(lab, result) for name, lab, result in found.runs()}
        artifacts.write_json(folder / paths.ARM_SETTINGS.name, settings)
        artifacts.write_parquet(folder / paths.ARM_PREDICTIONS.name, all_predictions(found))
        artifacts.write_arrays(folder / paths.LANDSCAPE.name, **surface)
    artifacts.write_json(root / paths.metrics("intervene"), metrics(found.record))


def metrics(found: dict[str, Any]) -> dict[str, float]:
    """Returns what `dvc metrics` compares: effects, and the accuracy of recipe, reference and best run."""
    effects = {f"effect_{item['cause']}": item["effect"] for item in [*found["findings"], *found["data"]]}
    accuracy = {run["name"]: run["test_accuracy"] for run in found["runs"]}
    named = {name: accuracy[name] for name in ("recipe", "reference")}
    named["recommended"] = accuracy[found["recommended"]["name"]]
    return {**effects, **{f"test_accuracy_{name}": value for name, value in named.items()}}


def track(run: Run, found: Found) -> None:
    """Logs every swap as a run of its own, named as in the report."""
    logged = {*ARMS, OF_ALL}  # by the stages that trained them
    if found.whole is not None:
        with run.child(OF_PART, {"arm": OF_PART}) as child:
            arms.log(child, found.lab, found.diagnosed.runs["recipe"])
    for name, lab, result in found.runs():
        if name not in logged:
            with run.child(name, {"arm": name, "seed": result.arm.seed}) as child:
                arms.log(child, lab, result)


def all_predictions(found: Found) -> pd.DataFrame:
    """Returns one row per arm and test image: arm, and the columns of `arms.predictions`."""
    tables = [arms.predictions(lab, result).assign(arm=name) for name, lab, result in found.runs()]
    return pd.concat(tables, ignore_index=True)


def suspect_labels(diagnosed: Diagnosed) -> pd.DataFrame:
    """Returns the training images whose label looks wrong, the most doubtful first."""
    columns = ["image_id", "label", "suggested", "score", "purity", "kind"]
    return pd.DataFrame(diagnosed.facts.noise["flagged"], columns=columns)


def _load(root: Path, arm: str, key: str) -> Result:
    result = store.load(root / paths.arm(arm), key)
    assert result is not None, f"{paths.arm(arm)} is incomplete"
    return result
