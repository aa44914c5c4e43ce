"""The record of a diagnosis whose swaps had a part of the images, once all of them were asked."""

from __future__ import annotations

from typing import Any

import numpy as np

from plateau_cause.config.params import ALL, ALL_IMAGES, OF_ALL
from plateau_cause.diagnosis.confirmation import Confirmation, final
from plateau_cause.diagnosis.record import belief_record, recipe_record, run_record
from plateau_cause.diagnosis.verdict import CAUSE, PLATEAU, UNDECIDED
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
    is_doubted = verdict != found["verdict"]
    seconds, own = dict(found["seconds"]), _seconds(confirmed.before)
    gap = None if confirmed.gain is None else belief_record(confirmed.gain, limit)
    return {
        **found,
        "verdict": verdict,
        "gap": gap if gap and verdict != PLATEAU else found["gap"],
        "findings": [doubted(item) if is_doubted else item for item in found["findings"]],
        "data": [doubted(item) if is_doubted else item for item in found["data"]],
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


def doubted(item: dict[str, Any]) -> dict[str, Any]:
    """Returns a finding of a part that all images do not bear out: no cause is stated."""
    return {**item, "standing": UNDECIDED} if item["standing"] == CAUSE else item


def _recommended(
    of_part: dict[str, Any], lab: Laboratory, confirmed: Confirmation, gap: dict[str, Any] | None
) -> dict[str, Any]:
    """Returns what to recommend: what was trained on all images, where that is surely better.

    Where the budget did not pay for it, what the part recommends with the part's accuracies.
    """
    if gap is None:
        return {**of_part, "recipe": recipe_record(confirmed.arm)}
    before, after = _accuracy(lab, confirmed.before), _accuracy(lab, confirmed.after)
    if gap["ci"][0] > 0:
        name, arm = confirmed.name, confirmed.arm
    else:  # nothing that was tried is surely better than what the user has
        name, arm, after, gap = "recipe", confirmed.before[0].arm, before, {"effect": 0.0, "ci": [0.0, 0.0]}
    gain = {"effect": gap["effect"], "ci": gap["ci"]}
    ends = {"before": before, "after": after, "gain": gain}
    return {"name": name, "recipe": recipe_record(arm), "weights": arm.weights, **ends}
