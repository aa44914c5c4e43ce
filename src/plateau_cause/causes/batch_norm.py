"""Batch norm on batch statistics while the running ones lag behind, or the reverse."""

from __future__ import annotations

from plateau_cause.causes.factor import Evidence, RecipeFactor
from plateau_cause.causes.frozen_layers import batch_norm_acts
from plateau_cause.causes.words import Words
from plateau_cause.lab.arm import Arm
from plateau_cause.numbers import percent


def _prior(arm: Arm, other: Arm, evidence: Evidence) -> float:
    # Learned in training mode but not seen in eval mode: the statistics, not the weights, are behind.
    fits = evidence.train_loss < 0.5 and evidence.train_accuracy < 0.8
    small_batch = arm.recipe.batch_size <= 8
    # Of such differences planted in the fault suite 2 of 4 cost accuracy.
    return 0.65 if fits or small_batch else 0.35


def _explain(arm: Arm, other: Arm, evidence: Evidence) -> list[str]:
    return [
        f"In training mode the loss fell to {evidence.train_loss:.2f}, yet in eval mode "
        f"{percent(evidence.train_accuracy)} of the same images are recognised: the running statistics are "
        "not those that training used."
    ]


WORDS = Words(
    title="Batch-norm statistics do not fit the data",
    repair="Fix batch norm",
    explanation=(
        "What batch-norm layers do in training differs from what they do in evaluation, so the "
        "network is judged on activations that it was not trained on."
    ),
)
FACTOR = RecipeFactor(
    name="batch_norm",
    order=7,
    words=WORDS,
    keys=("batch_norm",),
    pieces=frozenset({"batch_norm"}),
    prior=_prior,
    explain=_explain,
    acts=batch_norm_acts,
)
