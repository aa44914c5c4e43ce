"""Preprocessing other than what the weights were trained on: scale, mean, std, channels, resize."""

from __future__ import annotations

from plateau_cause.causes.factor import Evidence, RecipeFactor
from plateau_cause.lab.arm import Arm

KEYS = tuple(
    f"preprocessing.{name}" for name in ("resize", "interpolation", "scale", "mean", "std", "channels")
)
# Fine-tuning every layer repairs most of a wrong scale by itself.
REPAIRED_BY_TUNING = 0.5


def _suspicion(arm: Arm, other: Arm, evidence: Evidence) -> float:
    gain = max(0.0, evidence.probe_canonical - evidence.probe_recipe)
    return gain * (REPAIRED_BY_TUNING if arm.recipe.trainable == "all" else 1.0) + 0.01


def _explain(arm: Arm, other: Arm, evidence: Evidence) -> list[str]:
    return [
        f"A linear probe on the frozen features reaches {evidence.probe_recipe:.3f} under this "
        "preprocessing and "
        f"{evidence.probe_canonical:.3f} under the one that the weights declare (validation accuracy)."
    ]


FACTOR = RecipeFactor(
    name="preprocessing",
    keys=KEYS,
    pieces=frozenset({"transform"}),
    suspicion=_suspicion,
    explain=_explain,
)
