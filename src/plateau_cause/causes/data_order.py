"""Training images that always come in the same order, class after class."""

from __future__ import annotations

from plateau_cause.causes.factor import Evidence, RecipeFactor
from plateau_cause.lab.arm import Arm


def _suspicion(arm: Arm, other: Arm, evidence: Evidence) -> float:
    chance = 1.0 / evidence.num_classes
    return evidence.gap * 0.9 * max(0.0, evidence.sorted_share - chance) / (1.0 - chance) + 0.005


def _explain(arm: Arm, other: Arm, evidence: Evidence) -> list[str]:
    return [
        f"Without shuffling, {evidence.sorted_share:.0%} of neighbouring training images share their class: "
        "a batch shows the network one class and the next batch undoes it."
    ]


FACTOR = RecipeFactor(name="data_order", keys=("shuffle",), suspicion=_suspicion, explain=_explain)
