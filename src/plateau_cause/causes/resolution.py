"""Input size: too few pixels for the backbone to see what tells the classes apart."""

from __future__ import annotations

from plateau_cause.causes.factor import Evidence, Rates, RecipeFactor, take
from plateau_cause.causes.words import Words
from plateau_cause.lab.arm import Arm

SIZE = "preprocessing.size"


def _swap(arm: Arm, other: Arm, rates: Rates) -> Arm:
    """Takes the size; the user's own transform, whose size is fixed, gives way to its declared equal."""
    declared = arm.recipe.preprocessing.scale in ("unit", "byte")
    return take((SIZE,), frozenset({"transform", "evaluation"} if declared else ()))(arm, other, rates)


def _prior(arm: Arm, other: Arm, evidence: Evidence) -> float:
    # The reference differs here only where a probe on the frozen features gains from larger images.
    # Of such differences planted in the fault suite 2 of 3 cost accuracy.
    return 0.55


def _explain(arm: Arm, other: Arm, evidence: Evidence) -> list[str]:
    return [
        f"The recipe shows the backbone {arm.recipe.preprocessing.size} px; at "
        f"{other.recipe.preprocessing.size} px "
        "the same images were learned again."
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
