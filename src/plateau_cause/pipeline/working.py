"""The diagnosis of a large data set: swaps on a part of the images, and one training on all that confirms.

Where the part and all images do not say the same, a larger part is asked, as far as the budget reaches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from plateau_cause import runtime
from plateau_cause.config.params import Params
from plateau_cause.config.recipe import comparable
from plateau_cause.diagnosis import diagnose as diagnosis
from plateau_cause.diagnosis import full_scale, record, reference
from plateau_cause.diagnosis.confirmation import Confirmation, agreed, confirm
from plateau_cause.diagnosis.diagnose import Diagnosed
from plateau_cause.diagnosis.verdict import INCONCLUSIVE
from plateau_cause.features.views import View
from plateau_cause.lab.inspection import recipe_arm
from plateau_cause.lab.laboratory import Laboratory
from plateau_cause.lab.rates import Rates
from plateau_cause.lab.scale import GROWS, Scale, scales
from plateau_cause.lab.store import Result
from plateau_cause.pipeline.bench import over


@dataclass(frozen=True)
class Ends:
    """The two arms between which is swapped.

    Attributes:
        recipe, reference: their results, one per seed.
        candidates: what the other candidates for the reference cost, in the unit of Result.cost.
        seconds: of the reference and its candidates.
        range_test_seconds: of them.
    """

    recipe: list[Result]
    reference: list[Result]
    candidates: Sequence[float]
    seconds: float
    range_test_seconds: float


@dataclass(frozen=True)
class Facts:
    """What the stages before say about the images: see the arguments of `diagnosis.diagnose`."""

    noise: Mapping[str, Any]
    views: Mapping[str, View]
    split_auc: float
    pictures: np.ndarray

    def of(self, rows: np.ndarray) -> Facts:
        """Returns the same about a part of the images, by their rows in the manifest."""
        place = {int(row): i for i, row in enumerate(rows)}
        noise = {name: _flagged(part, place) for name, part in self.noise.items()}
        views = {
            name: view.of(rows)
            for name, view in self.views.items()
            if name != "reference"  # the features of other images
        }
        return replace(self, noise=noise, views=views, pictures=self.pictures[rows])


def _flagged(part: Any, place: Mapping[int, int]) -> Any:
    """Returns label-noise evidence with the flagged images among those that have a place, by it."""
    if not isinstance(part, Mapping) or "flagged" not in part:
        return part
    kept = [{**image, "row": place[image["row"]]} for image in part["flagged"] if image["row"] in place]
    return {**part, "flagged": kept}


@dataclass(frozen=True)
class Asked:
    """What was asked last, and what it showed.

    Attributes:
        lab: over the images that the swaps were trained on.
        diagnosed, record: what they showed.
        best: the recommended run's validation accuracy.
        of_all: the runs on all images by name, where the swaps had a part of them.
    """

    lab: Laboratory
    diagnosed: Diagnosed
    record: dict[str, Any]
    best: float
    of_all: Mapping[str, Result] = field(default_factory=dict)


def diagnose(lab: Laboratory, rates: Rates, given: Params, ends: Ends, facts: Facts) -> Asked:
    """Returns the diagnosis of two trained arms, with all images or on a part of them.

    Args:
        lab: over all images.
        rates: of this laboratory.
        given: all parameters.
        ends: the user's recipe, trained on all images; the reference, on the first part where there are any.
        facts: what is known about the images.
    """
    parts = scales(lab.dataset)
    if parts:
        return _on_parts(lab, given, ends, facts, parts)
    diagnosed, found = _swapped(lab, rates, given, ends, facts)
    return Asked(lab, diagnosed, found, reference.validation(lab, diagnosed.recommended))


def _on_parts(lab: Laboratory, given: Params, ends: Ends, facts: Facts, parts: Sequence[Scale]) -> Asked:
    """Returns the diagnosis on the first part that all images agree with, or the last that is paid for."""
    spent, before_s = 0.0, 0.0
    most = given.diagnosis.max_cost * _dearest(ends, parts[0])
    for number, scale in enumerate(parts):
        runtime.say(f"swaps on {scale.images:,} of {scale.of:,} training images")
        part, rates = over(lab, scale)
        own = _ends(part, rates, given, scale, ends if number == 0 else None)
        diagnosed, found = _swapped(part, rates, given, own, facts.of(scale.rows))
        cost = sum(result.cost for result in diagnosed.runs.values()) + sum(own.candidates)
        spent += cost
        larger = number + 1 < len(parts) and spent + GROWS * cost <= most
        if found["verdict"] == INCONCLUSIVE and larger:
            before_s += _seconds(found)
            continue
        limits = most - spent, given.diagnosis.min_effect
        confirmed = confirm(lab, scale, diagnosed, ends.recipe, given.recipe, *limits)
        spent += confirmed.cost
        larger = larger and spent + GROWS * cost <= most
        if agreed(found["verdict"], confirmed.verdict) or not larger:
            break
        before_s += _seconds(found) + sum(result.outcome.seconds for result in confirmed.after)
    made = full_scale.with_all(found, lab, scale, confirmed, before_s, given.diagnosis.min_effect)
    return Asked(part, diagnosed, made, _best(lab, confirmed), full_scale.runs(confirmed))


def _dearest(ends: Ends, first: Scale) -> float:
    """Returns what one training of the recipe costs, or of a reference on all images where that is more."""
    careful = max([*ends.candidates, *(result.cost for result in ends.reference)])
    return max(ends.recipe[0].cost, careful * first.of / first.images)


def _best(lab: Laboratory, confirmed: Confirmation) -> float:
    return max(reference.validation(lab, run) for run in [*confirmed.before[:1], *confirmed.after[:1]])


def _ends(part: Laboratory, rates: Rates, given: Params, scale: Scale, ends: Ends | None) -> Ends:
    """Returns both arms as they train on a part; the reference of the first was trained by its own stage."""
    seeds = given.diagnosis.seeds
    arm = recipe_arm(part, scale.shortened(given.recipe), seeds[0])
    recipe = part.run_all([(arm.with_seed(seed), "recipe") for seed in seeds], keep_weights=True)
    if ends is not None:
        return replace(ends, recipe=recipe)
    found = reference.train_all(part, rates, recipe_arm(part, comparable(given.recipe), seeds[0]), seeds)
    others = [result.cost for result in found.tried]
    return Ends(recipe, found.results, others, found.seconds, rates.seconds)


def _swapped(
    lab: Laboratory, rates: Rates, given: Params, ends: Ends, facts: Facts
) -> tuple[Diagnosed, dict[str, Any]]:
    before_s, dataset, limits = rates.seconds, lab.dataset, given.diagnosis
    diagnosed = diagnosis.diagnose(
        lab,
        rates,
        ends.recipe,
        ends.reference,
        limits,
        facts.noise,
        facts.views,
        split_auc=facts.split_auc,
        candidates=ends.candidates,
        pictures=facts.pictures,
    )
    val, test = dataset.indices("val"), dataset.indices("test")
    found = record.record(diagnosed, dataset.targets, val, test, limits.min_effect)
    extra = max(0.0, rates.seconds - before_s - ends.range_test_seconds)
    return diagnosed, {**found, "reference_seconds": ends.seconds, "extra_seconds": extra}


def _seconds(found: Mapping[str, Any]) -> float:
    """Returns what the diagnosis of a part took, both arms included."""
    others = sum(seconds for name, seconds in found["seconds"].items() if name != "reference")
    return float(others + found["reference_seconds"] + found["extra_seconds"])
