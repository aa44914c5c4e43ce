"""Training images that always come in the same order, class after class."""

from __future__ import annotations

from plateau_cause.causes.factor import Evidence, RecipeFactor
from plateau_cause.causes.words import Words
from plateau_cause.lab.arm import Arm


def _prior(arm: Arm, other: Arm, evidence: Evidence) -> float:
    chance = 1.0 / evidence.num_classes
    # Of sorted images planted in the fault suite 0 of 3 cost accuracy.
    return 0.03 + 0.3 * max(0.0, evidence.sorted_share - chance) / (1.0 - chance)


def _explain(arm: Arm, other: Arm, evidence: Evidence) -> list[str]:
    return [
        f"Without shuffling, {evidence.sorted_share:.0%} of neighbouring training images share their class: "
        "a batch shows the network one class and the next batch undoes it."
    ]


WORDS = Words(
    title="The data come in a harmful order",
    repair="Shuffle the data",
    explanation=(
        "Without shuffling, whole stretches of training see only a few classes, and each one undoes the last."
    ),
)
FACTOR = RecipeFactor(
    order=11, words=WORDS, name="data_order", keys=("shuffle",), prior=_prior, explain=_explain
)
