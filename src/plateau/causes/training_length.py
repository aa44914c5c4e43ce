"""Too few optimiser steps to arrive, or so many that the network forgets how to generalise."""

from __future__ import annotations

from plateau.causes.factor import Evidence, RecipeFactor
from plateau.training.arm import Arm


def _suspicion(arm: Arm, other: Arm, evidence: Evidence) -> float:
    return evidence.gap * min(0.9, max(0.05, 0.8 - evidence.steps_ratio))


def _explain(arm: Arm, other: Arm, evidence: Evidence) -> list[str]:
    return [
        f"The recipe takes {evidence.steps_ratio:.2g} times the reference's optimiser steps "
        f"({arm.recipe.schedule.epochs} epochs at batch size {arm.recipe.batch_size})."
    ]


FACTOR = RecipeFactor(
    name="training_length",
    keys=("schedule.epochs",),
    carried=("batch_size", "schedule.keep"),
    suspicion=_suspicion,
    explain=_explain,
    acts=lambda arm: arm.recipe.trainable != "none",
)
