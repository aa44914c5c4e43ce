"""An optimiser that does not hold the parameters that should move."""

from __future__ import annotations

from plateau_cause.causes.factor import Evidence, Rates, RecipeFactor, take, with_freed_rate
from plateau_cause.causes.words import Words
from plateau_cause.lab.arm import Arm


def _swap(arm: Arm, other: Arm, rates: Rates) -> Arm:
    swapped = take(("optimizer.parameters",), frozenset({"parameters"}))(arm, other, rates)
    return with_freed_rate(arm, swapped, other, rates)


HELD = {
    "head": "the head's parameters alone",
    "backbone": "the backbone's parameters alone",
    "none": "none of the model's parameters",
}


def _prior(arm: Arm, other: Arm, evidence: Evidence) -> float:
    # Of such differences planted in the fault suite 2 of 4 cost accuracy. An optimizer that holds the head
    # alone freezes the rest, and costs what frozen layers cost.
    return 0.4 + 0.5 * evidence.beyond_frozen if arm.recipe.optimizer.parameters == "head" else 0.5


def _explain(arm: Arm, other: Arm, evidence: Evidence) -> list[str]:
    what = HELD.get(arm.recipe.optimizer.parameters, "only some of the parameters")
    return [f"The optimizer holds {what}: what requires a gradient but is not handed to it never changes."]


def _acts(arm: Arm) -> bool:
    # With only the head trainable, an optimiser that holds the head misses nothing.
    return not (arm.recipe.optimizer.parameters == "head" and arm.recipe.trainable in ("head", "none"))


WORDS = Words(
    title="The optimizer does not hold what should learn",
    repair="Optimize what should learn",
    explanation=(
        "Parameters that are meant to learn were never given to the optimizer. They stay as they were."
    ),
)
FACTOR = RecipeFactor(
    name="optimizer_parameters",
    order=6,
    words=WORDS,
    keys=("optimizer.parameters",),
    pieces=frozenset({"parameters"}),
    swap=_swap,
    prior=_prior,
    explain=_explain,
    acts=_acts,
)
