"""Too few optimiser steps to arrive, or so many that the network forgets how to generalise."""

from __future__ import annotations

from plateau_cause.causes.factor import Evidence, Rates, RecipeFactor
from plateau_cause.causes.words import Words
from plateau_cause.lab.arm import Arm

SAME_WITHIN = 1.5  # steps over steps: a third more or less is not what holds a recipe back


def _differs(arm: Arm, other: Arm, rates: Rates) -> bool:
    ratio = _steps(arm) / _steps(other)
    return not 1 / SAME_WITHIN < ratio < SAME_WITHIN


def _steps(arm: Arm) -> float:
    """Returns optimiser steps per training image, which both arms share the number of."""
    return arm.recipe.schedule.epochs / arm.recipe.batch_size


def _prior(arm: Arm, other: Arm, evidence: Evidence) -> float:
    # Of such differences planted in the fault suite 3 of 5 cost accuracy.
    return min(0.7, max(0.1, 0.8 - evidence.steps_ratio))


def _explain(arm: Arm, other: Arm, evidence: Evidence) -> list[str]:
    return [
        f"The recipe takes {evidence.steps_ratio:.2g} times the reference's optimiser steps "
        f"({arm.recipe.schedule.epochs} epochs at batch size {arm.recipe.batch_size})."
    ]


WORDS = Words(
    title="Training stops at the wrong time",
    repair="Train as long as it pays",
    explanation="The number of epochs does not fit: accuracy was still to change when training ended.",
)
FACTOR = RecipeFactor(
    name="training_length",
    order=13,
    words=WORDS,
    keys=("schedule.epochs", "batch_size"),
    carried=("schedule.keep",),
    differs=_differs,
    prior=_prior,
    explain=_explain,
)
