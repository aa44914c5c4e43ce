"""The record of a diagnosis whose swaps had a part of the images, once all of them were asked."""

from __future__ import annotations

from typing import Any

import numpy as np

from plateau_cause.config.params import ALL, ALL_IMAGES, OF_ALL
from plateau_cause.diagnosis.confirmation import Confirmation, final
from plateau_cause.diagnosis.finding_record import belief_record
from plateau_cause.diagnosis.record import in_file, left_out, recipe_record, run_record
from plateau_cause.diagnosis.verdict import CAUSE, PLATEAU, UNDECIDED
from plateau_cause.lab.arm import Arm
from plateau_cause.lab.laboratory import Laboratory
from plateau_cause.lab.scale import Scale
from plateau_cause.lab.store import Result


def runs(confirmed: Confirmation) -> dict[str, Result]:
    """Returns the runs on all images by name, under their first seed."""
    found = {OF_ALL: confirmed.before[0]}
    return {**found, f"{confirmed.name}{ALL}": confirmed.after[0]} if confirmed.after else found


def with_all(
    found: dict[str, Any],
    lab: Laboratory,
    scale: Scale,
    confirmed: Confirmation,
    before_s: float,
    limit: float,
) -> dict[str, Any]:
    """Returns the record of a part with what all images say to it.

    Args:
        found: the part's, see `record.record`.
        lab: over all images.
        scale: the part.
        confirmed: the trainings on all images.
        before_s: seconds that smaller parts took.
        limit: `min_effect`, at which probabilities are stated.
    """
    verdict, dataset = final(found["verdict"], confirmed.verdict), lab.dataset
    val, test = dataset.indices("val"), dataset.indices("test")
    seconds, own = dict(found["seconds"]), _seconds(confirmed.before)
    gap = None if confirmed.gain is None else belief_record(confirmed.gain, limit)
    return {
        **found,
        "verdict": verdict,
        "gap": gap or found["gap"],
        **borne_out(found, verdict, confirmed.name, gap, limit),
        "recommended": _recommended(found["recommended"], lab, confirmed, gap),
        "runs": [
            *found["runs"],
            *(run_record(name, run, dataset.targets, val, test) for name, run in runs(confirmed).items()),
        ],
        "seconds": {**seconds, "recipe": own, ALL_IMAGES: _seconds(confirmed.after)},
        "extra_seconds": found["extra_seconds"] + seconds["recipe"] + before_s,
        "test_images": found["test_images"] if gap is None else len(test),
        "scale": {
            "images": scale.images,
            "of": scale.of,
            "verdict": found["verdict"],
            "confirmed": None if confirmed.verdict is None else confirmed.verdict == found["verdict"],
            "before": _accuracy(lab, confirmed.before),
        },
    }


def _seconds(results: list[Result]) -> float:
    return sum(result.outcome.seconds for result in results)


def _accuracy(lab: Laboratory, results: list[Result]) -> float:
    targets = lab.dataset.targets[lab.dataset.indices("test")]
    return float(np.mean([result.correct(targets).mean() for result in results]))


def borne_out(
    found: dict[str, Any], verdict: str, name: str, gap: dict[str, Any] | None, limit: float
) -> dict[str, list[dict[str, Any]]]:
    """Returns the findings of a part as all images have them: no cause where they say otherwise.

    What a factor costs on a part it costs on all images in proportion to what the same repairs gain there;
    where they are one factor alone, that is measured.

    Args:
        found: the part's record.
        verdict: with all images.
        name: of the part's run that was trained on all images too.
        gap: what that gains there; None where it was not.
        limit: `min_effect`, below which a cause is none.
    """
    if verdict != found["verdict"]:
        return {kind: [_doubted(item) for item in found[kind]] for kind in ("findings", "data")}
    if gap is None or verdict != PLATEAU:
        return {}
    reached = {run["name"]: run["test_accuracy"] for run in found["runs"]}
    of_part = reached[name] - reached["recipe"]
    if of_part <= 0:
        return {}
    items = [_in_proportion(item, gap, of_part) for item in found["findings"]]
    return {"findings": [item if item["effect"] >= limit else _doubted(item) for item in items]}


def _doubted(item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "standing": UNDECIDED} if item["standing"] == CAUSE else item


def _in_proportion(item: dict[str, Any], gap: dict[str, Any], of_part: float) -> dict[str, Any]:
    """Returns a finding whose effects are those of the part times what all images gain over what it gains."""
    ratio, spread = gap["effect"] / of_part, (gap["ci"][1] - gap["ci"][0]) / 2 / of_part
    nested: dict[str, Any] = {
        key: _times(item[key], ratio, spread) for key in ("need", "alone") if key in item
    }
    return {**item, **_times(item, ratio, spread), **nested}


def _times(belief: dict[str, Any], ratio: float, spread: float) -> dict[str, Any]:
    """Returns a belief times a ratio of that uncertainty, both intervals' halves added in quadrature."""
    mean, (low, high) = belief["effect"], belief["ci"]
    ends = [
        ratio * mean + sign * float(np.hypot(ratio * (end - mean), spread * mean))
        for sign, end in ((-1, low), (1, high))
    ]
    return {**belief, "effect": _bounded(ratio * mean), "ci": [_bounded(end) for end in ends]}


def _bounded(change: float) -> float:
    return min(1.0, max(-1.0, change))


def _recommended(
    of_part: dict[str, Any], lab: Laboratory, confirmed: Confirmation, gap: dict[str, Any] | None
) -> dict[str, Any]:
    """Returns what to recommend: what was trained on all images, where that is surely better.

    Where the budget did not pay for it, what the part recommends with the part's accuracies.
    """
    given = confirmed.before[0].arm
    if gap is None:
        return {**of_part, **_recipe(confirmed.arm, given)}
    before, after = _accuracy(lab, confirmed.before), _accuracy(lab, confirmed.after)
    if gap["ci"][0] > 0:
        name, arm = confirmed.name, confirmed.arm
    else:  # nothing that was tried is surely better than what the user has
        name, arm, after, gap = "recipe", given, before, {"effect": 0.0, "ci": [0.0, 0.0]}
    gain = {"effect": gap["effect"], "ci": gap["ci"]}
    ends = {"before": before, "after": after, "gain": gain}
    return {"name": name, **_recipe(arm, given), "weights": arm.weights, **ends}


def _recipe(arm: Arm, given: Arm) -> dict[str, Any]:
    return {"recipe": recipe_record(arm, given.recipe.code), "left_out": left_out(arm, given),
            "in_file": in_file(arm, given)}  # fmt: skip
