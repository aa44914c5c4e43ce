"""Input size: too few pixels for the backbone to see what tells the classes apart."""

from __future__ import annotations

from plateau.causes.factor import Evidence, RecipeFactor
from plateau.training.arm import Arm


def _suspicion(arm: Arm, other: Arm, evidence: Evidence) -> float:
    return max(0.0, evidence.probe_canonical - evidence.probe_recipe) + 0.02


def _explain(arm: Arm, other: Arm, evidence: Evidence) -> list[str]:
    return [
        f"The recipe shows the backbone {arm.recipe.preprocessing.size} px; at "
        f"{other.recipe.preprocessing.size} px "
        "the same images were learned again."
    ]


FACTOR = RecipeFactor(name="resolution", keys=("preprocessing.size",), suspicion=_suspicion, explain=_explain)
