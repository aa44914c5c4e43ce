"""Augmentation that destroys what tells the classes apart, or is missing where images are few."""

from __future__ import annotations

import math

from plateau_cause.causes.factor import Evidence, RecipeFactor
from plateau_cause.causes.words import Words
from plateau_cause.lab.arm import Arm

PIECE = "augmentation"  # in `Arm.own` where the user's transform changes images at random


def _prior(arm: Arm, other: Arm, evidence: Evidence) -> float:
    # Of such differences planted in the fault suite 2 of 4 cost accuracy.
    declared = {"strong": 0.5, "crop_flip": 0.2, "flip": 0.1}.get(arm.recipe.augmentation, 0.05)
    if PIECE not in arm.own:
        return declared
    # A user's own may do anything: images that lost what tells them apart cannot be learned either
    return 0.1 + 0.5 * min(1.0, evidence.train_loss / math.log(evidence.num_classes))


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
    pieces=frozenset({PIECE}),
    prior=_prior,
    explain=_explain,
)
