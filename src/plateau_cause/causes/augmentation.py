"""Augmentation that destroys what tells the classes apart, or is missing where images are few."""

from __future__ import annotations

from plateau_cause.causes.factor import Evidence, RecipeFactor
from plateau_cause.lab.arm import Arm


def _suspicion(arm: Arm, other: Arm, evidence: Evidence) -> float:
    return {"strong": 0.3, "crop_flip": 0.15, "flip": 0.05}.get(arm.recipe.augmentation, 0.02) * evidence.gap


def _explain(arm: Arm, other: Arm, evidence: Evidence) -> list[str]:
    return [f"Augmentation {arm.recipe.augmentation} was exchanged for {other.recipe.augmentation}."]


FACTOR = RecipeFactor(
    name="augmentation",
    keys=("augmentation",),
    pieces=frozenset({"augmentation"}),
    suspicion=_suspicion,
    explain=_explain,
)
