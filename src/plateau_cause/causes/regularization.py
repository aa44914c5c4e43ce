"""Regularisation that outweighs the data: weight decay, dropout, label smoothing."""

from __future__ import annotations

from plateau_cause.causes.factor import Evidence, RecipeFactor
from plateau_cause.causes.words import Words
from plateau_cause.lab.arm import Arm
from plateau_cause.numbers import percent

KEYS = ("optimizer.weight_decay", "head.dropout", "loss.label_smoothing")
STRONG_DECAY, STRONG_DROPOUT, STRONG_SMOOTHING = 0.2, 0.6, 0.3  # where people start to complain


def _prior(arm: Arm, other: Arm, evidence: Evidence) -> float:
    recipe = arm.recipe
    strong = (
        recipe.optimizer.weight_decay >= STRONG_DECAY
        or recipe.head.dropout >= STRONG_DROPOUT
        or recipe.loss.label_smoothing >= STRONG_SMOOTHING
    )
    # Of strong settings planted in the fault suite 3 of 5 cost accuracy.
    return 0.6 if strong else 0.05


def _explain(arm: Arm, other: Arm, evidence: Evidence) -> list[str]:
    recipe = arm.recipe
    return [
        f"Weight decay {recipe.optimizer.weight_decay:g}, dropout {recipe.head.dropout:g}, label smoothing "
        f"{recipe.loss.label_smoothing:g}; training accuracy without them in the way: "
        f"{percent(evidence.train_accuracy)}."
    ]


WORDS = Words(
    title="Regularisation is too strong or too weak",
    repair="Adjust regularisation",
    explanation=(
        "Weight decay, dropout or label smoothing pulls the model away from what the data say, or not enough."
    ),
)
FACTOR = RecipeFactor(
    name="regularization",
    order=10,
    words=WORDS,
    keys=KEYS,
    pieces=frozenset({"weight_decay", "dropout"}),
    prior=_prior,
    explain=_explain,
)
