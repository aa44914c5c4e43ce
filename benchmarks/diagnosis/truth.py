"""The truth about every case: what removing each planted fault recovers, in runs of their own.

python -m benchmarks.diagnosis.truth [--cases 'drawings*'] [--seeds 3] [--jobs 2] [--no-audit]

A planted fault that costs nothing is no cause. The audit changes what nobody planted (twice the images, twice
as long, other learning rates, the other base, random weights): what gains there is true as well, and must not
count as a false accusation. Finished runs are kept in .plateau/suite; what was interrupted goes on.
"""

from __future__ import annotations

import argparse
import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.diagnosis import diagnose, workers
from benchmarks.diagnosis.cases import BACKBONES, CASES, Case
from benchmarks.diagnosis.faults import FAULTS
from benchmarks.diagnosis.run import TRUTH, WORK
from plateau_cause import artifacts, runtime
from plateau_cause.config.recipe import put
from plateau_cause.images.prepare import prepare
from plateau_cause.images.store import open_dataset
from plateau_cause.lab.effect import Effect, effect
from plateau_cause.lab.inspection import recipe_arm
from plateau_cause.lab.laboratory import Laboratory
from plateau_cause.training.user_code import load_user_code

MIN_EFFECT = 0.03
UNDECIDED = 0.015  # this close to MIN_EFFECT a gain is neither asked for nor an error
FIRST_SEED = 100  # the diagnosis never sees these seeds
Edit = dict[str, Any]  # dotted recipe keys over a case


@dataclass(frozen=True)
class Removal:
    """What removing a planted fault gains.

    Attributes:
        first: in the recipe as it is, whatever else is wrong with it.
        last: where every other planted fault has been removed before.
    """

    first: Effect
    last: Effect


def measure_all(cases: Sequence[Case], work: Path, seeds: Sequence[int], audit: bool) -> dict[str, Any]:
    """Returns what `measure` says by name, and prints a line after each case."""
    found = {}
    for case in cases:
        truth = found[case.name] = measure(case, seeds, work, audit)
        before, after = truth["accuracy"]
        may = [*truth["tolerated"], *truth["alternatives"]]
        print(f"{case.name:55} {before:.3f} -> {after:.3f}  {truth['causes']} (or {may})", flush=True)
    return found


def measure(case: Case, seeds: Sequence[int], work: Path, audit: bool = True) -> dict[str, Any]:
    """Returns the names that `decide` gives, gains with intervals, and mean test accuracies of one case."""
    removals = {cause: _removal(case, cause, seeds, work) for cause in sorted(case.planted)}
    is_faulty = bool(_needed(removals))
    repaired = _repaired(case)
    # Beside a fault nothing else shows; but a recipe that is better than its twin is judged by itself.
    is_better = any(removal.last.mean <= -UNDECIDED for removal in removals.values())
    others = _audit(case if is_better and not is_faulty else repaired, True, seeds, work) if audit else {}
    # Settings may make up for faults of the data, which no recipe removes.
    helping = _audit(case, False, seeds, work) if audit and is_faulty and case.data else {}
    start, twin = (hits(one, {}, seeds, work).mean(1) for one in (case, repaired))
    return {
        **decide(removals, others, helping),
        "effects": _intervals(others | {cause: removal.last for cause, removal in removals.items()}),
        "first": _intervals({cause: removal.first for cause, removal in removals.items()}),
        "helping": _intervals(helping),
        "accuracy": [float(start.mean()), float(twin.mean())],
        "seed_sd": [float(start.std()), float(twin.std())],
        "seeds": list(seeds),
    }


def decide(
    removals: Mapping[str, Removal], others: Mapping[str, Effect], helping: Mapping[str, Effect]
) -> dict[str, list[str]]:
    """Returns the causes that must be named, those that may be, and what helps instead of them.

    A planted fault is a cause where removing it last gains at least MIN_EFFECT and is decided: without that
    the recipe does not arrive. Where none is, because the removal of either does, those are that gain first.
    Close to MIN_EFFECT, first though not last, or found by the audit, a cause may be named. Where nothing
    planted costs anything the audit decides. What helps in the recipe as it is may be named beside a cause.

    Args:
        removals: of what was planted.
        others: gains of what nobody planted.
        helping: gains of other settings in the recipe as it is, faults included.
    """
    causes = _needed(removals) or ({name for name, found in others.items() if _is_sure(found)} - {*removals})
    near = {name for name, removal in removals.items() if _is_near(removal.first) or _is_near(removal.last)}
    near |= {name for name, found in others.items() if _is_near(found) and name not in removals}
    instead = {name for name, found in helping.items() if _is_sure(found)}
    return {
        "causes": sorted(causes),
        "tolerated": sorted(near - causes),
        "alternatives": sorted(instead - near - causes),
    }


def _needed(removals: Mapping[str, Removal]) -> set[str]:
    last = {name for name, removal in removals.items() if _is_sure(removal.last)}
    return last or {name for name, removal in removals.items() if _is_sure(removal.first)}


def _is_sure(found: Effect) -> bool:
    return found.mean >= MIN_EFFECT + UNDECIDED and found.low > 0


def _is_near(found: Effect) -> bool:
    return found.mean >= MIN_EFFECT - UNDECIDED


def _intervals(effects: Mapping[str, Effect]) -> dict[str, list[float]]:
    return {name: [found.mean, found.low, found.high] for name, found in effects.items()}


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


def _removal(case: Case, cause: str, seeds: Sequence[int], work: Path) -> Removal:
    first, last = (
        gain(*(hits(side, {}, seeds, work) for side in (before, before.without(cause))))
        for before in (case, case.only(cause))
    )
    return Removal(first, last)


def _audit(case: Case, data: bool, seeds: Sequence[int], work: Path) -> dict[str, Effect]:
    """Returns the gains of what nobody planted in the case, with other images and weights or without."""
    before = hits(case, {}, seeds, work)
    values = case.overrides
    rate, epochs = values["optimizer.learning_rate"], values["schedule.epochs"]
    edits: dict[str, tuple[Case, Edit]] = {
        "training_length": (case, {"schedule.epochs": 2 * epochs}),
        "learning_rate_low": (case, {"optimizer.learning_rate": 3 * rate}),
        "learning_rate_high": (case, {"optimizer.learning_rate": rate / 3}),
        "frozen_layers": (replace(case, base="head" if case.base == "all" else "all"), {}),
    }
    if data:
        edits["limited_data"] = _with_more_images(case), {}
    if data and case.weights == BACKBONES[case.backbone][1] and case.code is None:
        edits["feature_misalignment"] = replace(case, faults=(*case.faults, "scratch")), {}
    return {cause: gain(before, hits(*edit, seeds, work)) for cause, edit in edits.items()}


def _with_more_images(case: Case) -> Case:
    """Returns the case with twice the images; where a fault took images away, with what it took."""
    is_short = any(FAULTS[name].cause == "limited_data" for name in case.faults)
    return case.without("limited_data") if is_short else replace(case, faults=(*case.faults, "double"))


def _repaired(case: Case) -> Case:
    for name in case.faults:
        case = case.without(FAULTS[name].cause)
    return case


def _laboratory(case: Case, work: Path) -> tuple[Laboratory, Any]:
    params = diagnose.parameters(case, work)
    folder = work / "prepared" / case.backbone / Path(str(params.data.path)).stem  # two may be at it at once
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
    parser.add_argument(
        "--jobs", type=int, default=runtime.available_cpus(), help="groups of cases at a time, one CPU each"
    )
    arguments = parser.parse_args()
    runtime.set_up_threads()
    seeds = range(FIRST_SEED, FIRST_SEED + arguments.seeds)
    chosen = [case for case in CASES if fnmatch.fnmatch(case.name, arguments.cases)]
    for case in chosen:  # images and tables, before anyone needs them twice at once
        diagnose.parameters(case, WORK)
    found = workers.spread(
        measure_all, workers.groups(chosen), arguments.jobs, WORK, seeds, not arguments.no_audit
    )
    known = artifacts.read_json(TRUTH) if TRUTH.exists() else {}
    artifacts.write_json(TRUTH, dict(sorted({**known, **found}.items())))


if __name__ == "__main__":
    main()
