"""Input size: too few pixels for the backbone to see what tells the classes apart.

As a factor the reference's size is swapped. Where the best run is one at the recipe's size (a reference on
larger images costs many times as much, and need not be ahead), it learns again at half of it, for a quarter
of the work, and what the last doubling gave is carried on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from plateau_cause import numbers
from plateau_cause.causes.factor import Evidence, Rates, RecipeFactor, take
from plateau_cause.causes.trial import DataCause, DataFacts, Trial, points
from plateau_cause.causes.words import Words
from plateau_cause.config.recipe import put
from plateau_cause.lab.arm import Arm
from plateau_cause.lab.belief import Belief

SIZE = "preprocessing.size"
SMALLEST_PX = 16  # an input of half the size must not be smaller
GAINED = 0.03  # validation accuracy that a frozen probe must gain from twice the size
CARRIED = 0.5  # of the last doubling's gain is what the next one gives (assumed: errors shrink like that)


def _swap(arm: Arm, other: Arm, rates: Rates) -> Arm:
    """Takes the size; the user's own transform, whose size is fixed, gives way to its declared equal."""
    declared = arm.recipe.preprocessing.scale in ("unit", "byte")
    return take((SIZE,), frozenset({"transform"} if declared else ()))(arm, other, rates)


def _prior(arm: Arm, other: Arm, evidence: Evidence) -> float:
    # The reference differs here only where a probe on the frozen features gains from larger images.
    # Of such differences planted in the fault suite 2 of 3 cost accuracy.
    return 0.55


def _explain(arm: Arm, other: Arm, evidence: Evidence) -> list[str]:
    return [
        f"The recipe shows the backbone {arm.recipe.preprocessing.size} px; at "
        f"{other.recipe.preprocessing.size} px the same images were learned again."
    ]


WORDS = Words(
    title="Images are too small for this backbone",
    repair="Use a fitting resolution",
    explanation="At this input size the backbone shrinks the image to almost nothing before its last layers.",
)
FACTOR = RecipeFactor(
    name="resolution",
    order=3,
    words=WORDS,
    keys=(SIZE,),
    swap=_swap,
    prior=_prior,
    explain=_explain,
)


def _suspected(facts: DataFacts) -> float:
    seen, size = facts.larger, facts.best.arm.recipe.preprocessing.size
    if seen is None or size < 2 * SMALLEST_PX or CARRIED * facts.headroom < facts.min_effect:
        return 0.0
    return 0.5 if seen.gained >= GAINED else 0.0


def _trial(facts: DataFacts) -> Trial:
    arm = facts.best.arm
    halved = put(arm.recipe, {SIZE: arm.recipe.preprocessing.size // 2})
    return Trial(
        base=facts.best,
        base_name="best",
        name="best - half of the input size",
        arms=(replace(arm, recipe=halved),),
        repairs=False,
        carried=lambda measured: measured.times(CARRIED),
    )


def _explain_trial(facts: DataFacts, trial: Trial, measured: Belief) -> list[str]:
    size, seen = facts.best.arm.recipe.preprocessing.size, facts.larger
    assert seen is not None
    return [
        f"Half of the images are {seen.original_px} px or more on their longer side and the weights expect "
        f"{seen.expected_px} px; the recipe reads {size} px. From {size // 2} to {size} px test accuracy "
        f"rose by {points(measured)} (measured); {2 * size} px would add about "
        f"{numbers.points(trial.carried(measured).mean)} (extrapolated: half of the last doubling)."
    ]


def _fix_trial(facts: DataFacts, trial: Trial) -> Mapping[str, Any]:
    seen = facts.larger
    assert seen is not None
    size = min(seen.expected_px, seen.original_px)
    return {f"recipe.{SIZE}": size, **({"data.stored_size": None} if seen.stored_px < size else {})}


DATA_CAUSE = DataCause(
    name="resolution",
    words=WORDS,
    prior=_suspected,
    trial=_trial,
    explain=_explain_trial,
    fix=_fix_trial,
    kind="recipe",
)
