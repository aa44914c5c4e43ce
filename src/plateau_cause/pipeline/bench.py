"""The workbench of the training stages: opens the laboratory, trains an arm, runs the diagnosis."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plateau_cause import artifacts, runtime
from plateau_cause.config.params import ARMS, Params
from plateau_cause.diagnosis import record, reference
from plateau_cause.diagnosis.diagnose import Diagnosed, diagnose
from plateau_cause.features.views import View, load_views
from plateau_cause.images.store import open_dataset
from plateau_cause.lab import store
from plateau_cause.lab.inspection import recipe_arm
from plateau_cause.lab.laboratory import Laboratory
from plateau_cause.lab.rates import Rates
from plateau_cause.lab.store import Result
from plateau_cause.training.user_code import load_user_code

FINISHED = Path(
    ".plateau/runs"
)  # finished runs and checkpoints, by content; not a DVC output, so a kill loses nothing


@dataclass(frozen=True)
class TrainedArm:
    """One arm under every seed.

    Attributes:
        name: recipe or reference.
        results: one per seed, the first seed's first.
        tried: what else was trained to find it (the other candidates for the reference).
        seconds: all of it, range tests included.
    """

    name: str
    results: list[Result]
    tried: list[Result]
    seconds: float


def arm_folder(root: Path, arm: str) -> Path:
    """Returns the folder of an arm's results."""
    return root / "data/arms" / arm


def open_laboratory(params: Params, root: Path) -> tuple[Laboratory, Rates]:
    """Returns the laboratory over the prepared data and the embedded features, and its learning rates."""
    lab = Laboratory(
        dataset=open_dataset(root / "data/prepared"),
        backbone_name=params.backbone.name,
        weights=params.backbone.weights,
        code=load_user_code(params.recipe.code),
        device=runtime.device(),
        folder=root / FINISHED,
        shelves=tuple(arm_folder(root, arm) for arm in ARMS),
    )
    views, _ = load_views(root / "data/features")
    known = {
        (view.preprocessing, view.weights): view.features
        for name, view in views.items()
        if name != "reference"
    }
    lab.remember({key: value for key, value in known.items() if key[0] is not None})  # type: ignore[misc]
    return lab, Rates(lab)


def train_arm(lab: Laboratory, rates: Rates, params: Params, arm: str) -> TrainedArm:
    """Returns the arm, trained under every seed of `diagnosis.seeds`."""
    seeds = params.diagnosis.seeds
    recipe = recipe_arm(lab, params.recipe, seeds[0])
    if arm == "recipe":
        results = [lab.run(recipe.with_seed(seed), "recipe", keep_weights=True) for seed in seeds]
        return TrainedArm(arm, results, [], sum(result.outcome.seconds for result in results))
    tried = reference.train(lab, rates, recipe)
    best = reference.choose(lab, tried)
    results = [lab.run(best.arm.with_seed(seed), "reference", keep_weights=True) for seed in seeds]
    everything = {result.key: result for result in [*tried, *results]}
    seconds = sum(result.outcome.seconds for result in everything.values()) + rates.seconds
    others = [result for result in tried if result.key != best.key]
    return TrainedArm(arm, results, others, seconds)


def diagnose_arms(
    lab: Laboratory, rates: Rates, params: Params, root: Path
) -> tuple[Diagnosed, dict[str, Any]]:
    """Returns the diagnosis of the two trained arms, and its record in plain types."""
    arms = {arm: artifacts.read_json(arm_folder(root, arm) / "arm.json") for arm in ARMS}
    results = {arm: [_load(root, arm, key) for key in arms[arm]["keys"]] for arm in ARMS}
    noise = artifacts.read_json(root / "data/shift/noise.json")
    views: dict[str, View] = load_views(root / "data/features")[0]
    before_s = rates.seconds
    diagnosed = diagnose(
        lab,
        rates,
        results["recipe"],
        results["reference"],
        params.diagnosis,
        noise,
        views,
        candidates=arms["reference"]["candidates"],
    )
    dataset = lab.dataset
    found = record.record(
        diagnosed,
        dataset.targets,
        dataset.indices("val"),
        dataset.indices("test"),
        params.diagnosis.min_effect,
    )
    extra = max(0.0, rates.seconds - before_s - arms["reference"]["range_test_seconds"])
    return diagnosed, {**found, "reference_seconds": arms["reference"]["seconds"], "extra_seconds": extra}


def _load(root: Path, arm: str, key: str) -> Result:
    result = store.load(arm_folder(root, arm), key)
    assert result is not None, f"data/arms/{arm} is incomplete"
    return result
