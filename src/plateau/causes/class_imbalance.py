"""Classes of very different size, and how the sampler deals with them."""

from __future__ import annotations

from plateau.causes.factor import Evidence, RecipeFactor
from plateau.training.arm import Arm


def _suspicion(arm: Arm, other: Arm, evidence: Evidence) -> float:
    return evidence.gap * (0.5 if evidence.imbalance >= 3 else 0.02)


def _explain(arm: Arm, other: Arm, evidence: Evidence) -> list[str]:
    return [
        f"The largest class has {evidence.imbalance:.1f} times the training images of the smallest; sampler "
        f"{arm.recipe.sampler} was exchanged for {other.recipe.sampler}."
    ]


FACTOR = RecipeFactor(name="class_imbalance", keys=("sampler",), suspicion=_suspicion, explain=_explain)
