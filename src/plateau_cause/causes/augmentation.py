"""Augmentation that destroys what tells the classes apart, or is missing where images are few."""

from __future__ import annotations

from plateau_cause.causes.factor import Evidence, RecipeFactor
from plateau_cause.causes.words import Words
from plateau_cause.lab.arm import Arm


def _prior(arm: Arm, other: Arm, evidence: Evidence) -> float:
    # Of such differences planted in the fault suite 2 of 4 cost accuracy.
    return {"strong": 0.5, "crop_flip": 0.2, "flip": 0.1}.get(arm.recipe.augmentation, 0.05)


def _explain(arm: Arm, other: Arm, evidence: Evidence) -> list[str]:
    return [f"Augmentation {arm.recipe.augmentation} was exchanged for {other.recipe.augmentation}."]


WORDS = Words(
    title="Augmentation does not fit the task",
    repair="Adjust augmentation",
    explanation=(
        "The random changes to the training images remove, or fail to teach, what tells the classes apart."
    ),
)
FACTOR = RecipeFactor(
    name="augmentation",
    order=4,
    words=WORDS,
    keys=("augmentation",),
    pieces=frozenset({"augmentation"}),
    prior=_prior,
    explain=_explain,
)
