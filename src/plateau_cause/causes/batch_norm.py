"""Batch norm on batch statistics while the running ones lag behind, or the reverse."""

from __future__ import annotations

from plateau_cause.causes.factor import Evidence, RecipeFactor
from plateau_cause.causes.frozen_layers import batch_norm_acts
from plateau_cause.lab.arm import Arm


def _suspicion(arm: Arm, other: Arm, evidence: Evidence) -> float:
    # Learned in training mode but not seen in eval mode: the statistics, not the weights, are behind.
    fits = evidence.train_loss < 0.5 and evidence.train_accuracy < 0.8
    small_batch = arm.recipe.batch_size <= 8
    return evidence.gap * (0.95 if fits or small_batch else 0.6)


def _explain(arm: Arm, other: Arm, evidence: Evidence) -> list[str]:
    return [
        f"In training mode the loss fell to {evidence.train_loss:.2f}, yet in eval mode the same images are "
        f"recognised at {evidence.train_accuracy:.3f}: the running statistics are not those that training "
        "used."
    ]


FACTOR = RecipeFactor(
    name="batch_norm",
    keys=("batch_norm",),
    pieces=frozenset({"batch_norm"}),
    suspicion=_suspicion,
    explain=_explain,
    acts=batch_norm_acts,
)
