"""Stage finetune@<arm>: train the recipe as it stands, its reference, or run a script."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from plateau_cause import artifacts, tracking
from plateau_cause.config import params
from plateau_cause.config.params import Params
from plateau_cause.config.recipe import comparable
from plateau_cause.diagnosis import reference
from plateau_cause.lab import store
from plateau_cause.lab.inspection import recipe_arm
from plateau_cause.lab.laboratory import Laboratory
from plateau_cause.lab.rates import Rates
from plateau_cause.lab.store import Result
from plateau_cause.pipeline import arms, estimate, paths, script_arm
from plateau_cause.pipeline.bench import at_scale, open_laboratory
from plateau_cause.tracking.run import Run


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


def main(arm: str) -> None:
    """Reads data/prepared and data/features; writes data/arms/<arm>, curves and metrics."""
    given = params.load(paths.PARAMS)
    if arm == script_arm.ARM:
        script_arm.train(given, Path())
        return
    lab, rates = open_laboratory(given, Path())
    estimate.announce(given, lab.dataset)
    if arm == "reference":
        lab, rates = at_scale(lab, rates)
    with tracking.stage_run(given, "finetune", arm, given.diagnosis.seeds[0]) as run:
        found = train_arm(lab, rates, given, arm)
        for result in found.results:
            if (words := arms.divergence(result)) is not None:
                print(f"warning: {arm}, seed {result.arm.seed}: {words}", file=sys.stderr)
        write(Path(), lab, found, rates.seconds)
        track(run, lab, found)


def train_arm(lab: Laboratory, rates: Rates, given: Params, arm: str) -> TrainedArm:
    """Returns the arm, trained under every seed of `diagnosis.seeds`."""
    seeds = given.diagnosis.seeds
    if arm == "recipe":
        recipe = recipe_arm(lab, given.recipe, seeds[0])
        results = lab.run_all([(recipe.with_seed(seed), "recipe") for seed in seeds], keep_weights=True)
        return TrainedArm(arm, results, [], sum(result.outcome.seconds for result in results))
    found = reference.train_all(lab, rates, recipe_arm(lab, comparable(given.recipe), seeds[0]), seeds)
    return TrainedArm(arm, found.results, found.tried, found.seconds)


def write(root: Path, lab: Laboratory, found: TrainedArm, range_test_seconds: float) -> None:
    """Writes data/arms/<arm>, reports/plots/curves_<arm>.csv and reports/finetune_<arm>.json."""
    name, first = found.name, found.results[0]
    with artifacts.atomic_folder(root / paths.arm(name)) as folder:
        for result in found.results:
            store.save(folder, result)
            weights = lab.weights_file(result.key)
            if weights is not None:
                (folder / weights.name).write_bytes(weights.read_bytes())
        artifacts.write_parquet(folder / paths.predictions(name).name, arms.predictions(lab, first))
        keys = [result.key for result in found.results]
        times = {"seconds": found.seconds, "range_test_seconds": range_test_seconds}
        costs = {"candidates": [result.cost for result in found.tried]}
        artifacts.write_json(folder / paths.arm_record(name).name, {"keys": keys, **costs, **times})
    curve = pd.DataFrame(first.outcome.history, columns=store.CURVES)
    artifacts.write_csv(root / paths.curves(name), curve)
    accuracies = {key: value for key, value in arms.metrics(lab, first).items() if key.endswith("_accuracy")}
    artifacts.write_json(root / paths.metrics(f"finetune_{name}"), accuracies)


def track(run: Run, lab: Laboratory, found: TrainedArm) -> None:
    """Logs the arm: parameters, curves, signals, data set, and the model, which loads again by URI."""
    first = found.results[0]
    arms.log(run, lab, first)
    run.log_dataset(lab.dataset.manifest, "images", lab.dataset.digest)
    for result in found.results[1:]:
        seed = result.arm.seed
        with run.child(f"{found.name} seed {seed}", {"arm": found.name, "seed": seed}) as child:
            arms.log(child, lab, result)
    for result in found.tried:
        with run.child(f"candidate ({result.arm.recipe.trainable})", {"arm": "candidate"}) as child:
            arms.log(child, lab, result)
    if not first.arm.own & {"model", "transform"}:
        example = lab.dataset.store.image(int(lab.dataset.indices("test")[0]))  # (H, W, 3)
        run.log_model(arms.predictor(lab, first), example[None])
