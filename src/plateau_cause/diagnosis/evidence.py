"""What is known before anything is swapped, and before the data are suspected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from plateau_cause.causes.factor import Evidence
from plateau_cause.causes.trial import DataFacts, Larger
from plateau_cause.diagnosis.reference import probed, validation
from plateau_cause.features.probes import linear_probe
from plateau_cause.features.views import View
from plateau_cause.images.store import Dataset
from plateau_cause.lab.arm import Arm
from plateau_cause.lab.inspection import unreached
from plateau_cause.lab.laboratory import Laboratory
from plateau_cause.lab.rates import Rates
from plateau_cause.lab.store import Result

LEARNS = 0.5  # of the best accuracy: a run below it is held back by something else


def gather_evidence(
    lab: Laboratory, rates: Rates, recipe: Result, reference: Result, views: Mapping[str, View]
) -> Evidence:
    """Returns what the two trained arms, the probes and the training labels say."""
    train, targets = lab.dataset.indices("train"), lab.dataset.targets
    counts = np.bincount(targets[train], minlength=lab.num_classes)
    probes = _probes(lab, recipe.arm, reference.arm, views)
    last = recipe.outcome.history[-1] if recipe.outcome.history else {}
    ordered = targets[train]
    return Evidence(
        gap=validation(lab, reference) - validation(lab, recipe),
        train_accuracy=float(last.get("train_accuracy", 0.0)),
        val_accuracy=validation(lab, recipe),
        train_loss=float(last.get("train_loss", float("nan"))),
        probe_recipe=probes["recipe"],
        probe_canonical=probes["canonical"],
        probe_random=probes["random"],
        reference_val=validation(lab, reference),
        rate_ratio=rates.ratio(recipe.arm) / rates.ratio(reference.arm),
        steps_ratio=_steps(lab, recipe.arm) / _steps(lab, reference.arm),
        num_classes=lab.num_classes,
        sorted_share=float((ordered[1:] == ordered[:-1]).mean()) if len(ordered) > 1 else 0.0,
        imbalance=float(counts.max() / max(1, counts[counts > 0].min())),
        unreached=unreached(lab, recipe.arm) if "model" in recipe.arm.own else (),
    )


def _probes(lab: Laboratory, recipe: Arm, reference: Arm, views: Mapping[str, View]) -> dict[str, float]:
    """Returns the linear probes' validation accuracy; the canonical one under the reference's weights."""
    looked_at = {
        name: (view.followed(lab.dataset), view.features)
        for name, view in views.items()
        if name in ("recipe", "canonical", "random")
    }
    if reference.weights != lab.weights:
        looked_at["canonical"] = lab.dataset, lab.features(reference.recipe.preprocessing, reference.weights)
    return {name: _val_accuracy(*seen) for name, seen in looked_at.items()}


def _val_accuracy(dataset: Dataset, features: np.ndarray) -> float:
    train, val = dataset.indices("train"), dataset.indices("val")
    return linear_probe(features, dataset.targets, train, val, len(dataset.classes)).accuracy["val"]


def _steps(lab: Laboratory, arm: Arm) -> float:
    return arm.recipe.schedule.epochs * len(lab.subsets[arm.images]) / arm.recipe.batch_size


def gather_facts(
    lab: Laboratory,
    runs: Mapping[str, Result],
    noise: Mapping[str, Any],
    split_auc: float,
    evidence: Evidence,
    min_effect: float,
    pictures: np.ndarray | None = None,
) -> DataFacts:
    """Returns what is known about the data; what they still cost is measured against the best run.

    Args:
        lab: holds the data.
        runs: what was trained so far by name, nearest to the recipe first, "recipe" among them.
        noise: label-noise evidence per part of the data, from the feature_shift stage.
        split_auc: of a classifier between training and test images, from the same stage.
        evidence: what was known before.
        min_effect: what is worth reporting.
        pictures: (N,) which images are copies or near copies of one another.
    """
    test = lab.dataset.indices("test")
    best = _baseline(lab, runs, lab.dataset.targets[test], min_effect)
    name, learner = _learner(runs, best, lab.dataset.targets[test])
    kept = best.outcome.history[best.outcome.kept_epoch - 1] if best.outcome.kept_epoch else {}
    return DataFacts(
        learner=learner,
        learner_name=name,
        best=best,
        train_accuracy=float(kept.get("train_accuracy", 0.0)),
        test_accuracy=float(best.correct(lab.dataset.targets[test]).mean()),
        min_effect=min_effect,
        targets=lab.dataset.targets,
        train=lab.dataset.indices("train"),
        val=lab.dataset.indices("val"),
        test=test,
        noise=noise["train"],
        noise_held_out=float(noise["held_out"]["rate"]),
        imbalance=evidence.imbalance,
        split_auc=split_auc,
        probe=evidence.probe_canonical,
        probe_random=evidence.probe_random,
        classes=lab.dataset.classes,
        pictures=pictures,
        larger=_larger(lab, best, min_effect),
        is_part=lab.part_of is not None,
    )


def _larger(lab: Laboratory, best: Result, min_effect: float) -> Larger | None:
    """Returns what larger images promise the best run; None where none can be had, or nothing is missing."""
    given, weights = best.arm.recipe.preprocessing, best.arm.weights
    if best.arm.own & {"model", "transform"} or 1.0 - validation(lab, best) < 2 * min_effect:
        return None
    manifest, expected_px = lab.dataset.manifest, lab.backbone(weights).expects.size
    original_px = int(manifest[["width", "height"]].max(axis=1).median())
    if 2 * given.size > min(original_px, expected_px):
        return None
    stored_px = int(manifest[["stored_width", "stored_height"]].max(axis=1).median())
    now, then = (probed(lab, replace(given, size=size), weights) for size in (given.size, 2 * given.size))
    return Larger(original_px, stored_px, expected_px, then - now)


def best_of(lab: Laboratory, results: Sequence[Result]) -> Result:
    """Returns the run with the highest validation accuracy; the earlier one where they are equal."""
    return max(results, key=lambda result: validation(lab, result))


def _baseline(lab: Laboratory, runs: Mapping[str, Result], targets: np.ndarray, min_effect: float) -> Result:
    """Returns what repairs of the data are measured against: the recipe, or the best run if that is better.

    Better is what is worth reporting, on test images; the best is chosen on validation images.
    """
    recipe = runs["recipe"]
    best = best_of(lab, [recipe, *runs.values()])
    gained = best.correct(targets).mean() - recipe.correct(targets).mean()
    return recipe if gained < min_effect else best


def _learner(runs: Mapping[str, Result], best: Result, targets: np.ndarray) -> tuple[str, Result]:
    """Returns the first of the runs that learns, with its name: what stops all learning hides the labels."""
    least = LEARNS * best.correct(targets).mean()
    learning = [(name, result) for name, result in runs.items() if result.correct(targets).mean() >= least]
    return learning[0] if learning else ("best", best)
