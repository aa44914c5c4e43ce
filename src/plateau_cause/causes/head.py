"""What stands behind the last linear layer: a softmax too many, a ReLU on the logits."""

from __future__ import annotations

from plateau_cause.causes.factor import Evidence, RecipeFactor
from plateau_cause.causes.words import Words
from plateau_cause.lab.arm import Arm
from plateau_cause.training.losses import double_softmax_floor


def _prior(arm: Arm, other: Arm, evidence: Evidence) -> float:
    # Of such differences planted in the fault suite 1 of 4 cost accuracy.
    return 0.45


def _explain(arm: Arm, other: Arm, evidence: Evidence) -> list[str]:
    if arm.recipe.head.activation == "softmax" and arm.recipe.loss.name == "cross_entropy":
        floor = double_softmax_floor(evidence.num_classes)
        return [
            "The model ends in softmax and the loss applies it again: the loss cannot fall below "
            f"{floor:.3f} for {evidence.num_classes} classes; it stopped at {evidence.train_loss:.3f}."
        ]
    return [f"Outputs pass through {arm.recipe.head.activation} before the loss reads them as logits."]


WORDS = Words(
    title="The head limits what training can reach",
    repair="Fix the head",
    explanation=(
        "Something between the features and the loss, such as an extra activation or heavy dropout, "
        "squeezes the outputs and weakens the gradient."
    ),
)
FACTOR = RecipeFactor(
    name="head",
    order=8,
    words=WORDS,
    keys=("head.activation",),
    pieces=frozenset({"activation"}),
    prior=_prior,
    explain=_explain,
)
