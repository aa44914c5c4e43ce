"""The truth about every case: what removing each planted fault recovers, in runs of their own.

python -m benchmarks.diagnosis.truth [--cases 'drawings*'] [--seeds 3] [--no-audit]

A planted fault that costs nothing is no cause. The audit changes what nobody planted (twice the images, twice
as long, other learning rates, the other base, random weights): what gains there is true as well, and must not
count as a false accusation. Finished runs are kept; truth.json is written after every case.
"""

from __future__ import annotations

import argparse
import fnmatch
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.diagnosis import diagnose
from benchmarks.diagnosis.cases import BACKBONES, BASES, CASES, Case
from benchmarks.diagnosis.faults import FAULTS
from benchmarks.diagnosis.run import TRUTH, WORK
from plateau import artifacts, runtime
from plateau.attribution import Effect, effect
from plateau.data.prepare import prepare
from plateau.data.store import open_dataset
from plateau.recipe import put
from plateau.training.inspection import recipe_arm
from plateau.training.laboratory import Laboratory
from plateau.training.user_code import load_user_code

MIN_EFFECT = 0.03
UNDECIDED = 0.015  # this close to MIN_EFFECT a gain is neither asked for nor an error
FIRST_SEED = 100  # the diagnosis never sees these seeds
Edit = dict[str, Any]  # dotted recipe keys over a case


def measure(case: Case, seeds: Sequence[int], work: Path, audit: bool = True) -> dict[str, Any]:
    """Returns causes, tolerated causes, effects with intervals and mean test accuracies of one case."""
    effects = {cause: _removal(case, cause, seeds, work) for cause in sorted(case.planted)}
    others = _audited(case, seeds, work) if audit else {}
    effects |= {cause: found for cause, found in others.items() if cause not in effects}
    start, twin = (hits(one, {}, seeds, work).mean(1) for one in (case, _repaired(case)))
    return {
        **decide(effects, case.planted),
        "effects": {cause: [found.mean, found.low, found.high] for cause, found in effects.items()},
        "accuracy": [float(start.mean()), float(twin.mean())],
        "seed_sd": [float(start.std()), float(twin.std())],
        "seeds": list(seeds),
    }


def decide(effects: dict[str, Effect], planted: frozenset[str]) -> dict[str, list[str]]:
    """Returns the causes that must be named, and those that may be.

    A planted fault is a cause where its gain reaches MIN_EFFECT and is decided. Close to MIN_EFFECT, or found
    by the audit beside what was planted, it may be named. On a case that was made healthy the audit decides.
    """
    sure = {name for name, found in effects.items() if found.mean >= MIN_EFFECT + UNDECIDED and found.low > 0}
    close = {name for name, found in effects.items() if found.mean >= MIN_EFFECT - UNDECIDED} - sure
    causes = sure & planted or sure
    return {"causes": sorted(causes), "tolerated": sorted((sure | close) - causes)}


def hits(case: Case, edit: Edit, seeds: Sequence[int], work: Path) -> np.ndarray:
    """Returns (seeds, n_test) booleans: which test images the recipe gets right under each seed."""
    lab, recipe = _laboratory(case, work)
    recipe = put(recipe, edit)
    rows = lab.dataset.indices("test")
    runs = [lab.run(recipe_arm(lab, recipe, seed), case.name) for seed in seeds]
    return np.stack([run.correct(lab.dataset.targets[rows]) for run in runs])


def gain(before: np.ndarray, after: np.ndarray) -> Effect:
    """Returns the gain between two recipes, paired by image, each image's share of seeds."""
    return effect([(before.mean(0), after.mean(0))])


def _removal(case: Case, cause: str, seeds: Sequence[int], work: Path) -> Effect:
    """Returns what removing a cause gains, with and without the other faults (its Shapley value)."""
    ways = {case: case.without(cause), case.only(cause): case.only(cause).without(cause)}
    pairs = [(hits(a, {}, seeds, work).mean(0), hits(b, {}, seeds, work).mean(0)) for a, b in ways.items()]
    return effect(pairs)


def _audited(case: Case, seeds: Sequence[int], work: Path) -> dict[str, Effect]:
    """Returns the gains of what nobody planted, over the case with everything repaired."""
    base = _repaired(case)
    before = hits(base, {}, seeds, work)
    found = {cause: gain(before, hits(base, edit, seeds, work)) for cause, edit in _edits(base).items()}
    others = {"limited_data": replace(base, faults=("double",))} if base.data is None else {}
    if base.weights == BACKBONES[base.backbone][1]:
        others["feature_misalignment"] = replace(base, faults=("scratch",))
    found |= {cause: gain(before, hits(other, {}, seeds, work)) for cause, other in others.items()}
    return found


def _edits(case: Case) -> dict[str, Edit]:
    values = case.overrides
    rate, epochs = values["optimizer.learning_rate"], values["schedule.epochs"]
    other = BASES["head" if case.base == "all" else "all"]
    return {
        "training_length": {"schedule.epochs": 2 * epochs},
        "learning_rate_low": {"optimizer.learning_rate": 3 * rate},
        "learning_rate_high": {"optimizer.learning_rate": rate / 3},
        "frozen_layers": {
            key: other[key] for key in ("trainable", "optimizer.learning_rate", "schedule.epochs")
        },
    }


def _repaired(case: Case) -> Case:
    for name in case.faults:
        case = case.without(FAULTS[name].cause)
    return case


def _laboratory(case: Case, work: Path) -> tuple[Laboratory, Any]:
    params = diagnose.parameters(case, work)
    folder = work / "prepared" / Path(str(params.data.path)).stem
    if not folder.exists():
        prepare(params.data, folder)
    lab = Laboratory(
        dataset=open_dataset(folder),
        backbone_name=params.backbone.name,
        weights=params.backbone.weights,
        code=load_user_code(params.recipe.code),
        device=runtime.device(),
        folder=diagnose.runs_folder(work),
    )
    return lab, params.recipe


def main() -> None:
    """Measures the chosen cases and writes truth.json."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", default="*", help="shell pattern of case names")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--no-audit", action="store_true", help="only what was planted")
    arguments = parser.parse_args()
    runtime.set_up_threads()
    seeds = range(FIRST_SEED, FIRST_SEED + arguments.seeds)
    for case in (case for case in CASES if fnmatch.fnmatch(case.name, arguments.cases)):
        found = measure(case, seeds, WORK, not arguments.no_audit)
        known = artifacts.read_json(TRUTH) if TRUTH.exists() else {}
        artifacts.write_json(TRUTH, dict(sorted({**known, case.name: found}.items())))
        before, after = found["accuracy"]
        print(
            f"{case.name:55} {before:.3f} -> {after:.3f}  {found['causes']} (or {found['tolerated']})",
            flush=True,
        )


if __name__ == "__main__":
    main()
