"""Validation and test images processed otherwise than the training images."""

from __future__ import annotations

from typing import Any

from plateau_cause.causes.factor import Evidence, RecipeFactor
from plateau_cause.causes.words import Words
from plateau_cause.lab.arm import Arm

PIECE = "evaluation"  # in `Arm.own` where the user's transform treats the two otherwise


def _prior(arm: Arm, other: Arm, evidence: Evidence) -> float:
    return 0.7


def _explain(arm: Arm, other: Arm, evidence: Evidence) -> list[str]:
    return [
        "transform(image, train=True) and transform(image, train=False) differ in more than chance: scale, "
        "normalisation, channels or size. Here images are evaluated as they are trained on."
    ]


def _entries(arm: Arm, fixed: Arm) -> dict[str, Any]:
    return {"recipe.code": "in your file: let transform(image, False) prepare images as for training"}


WORDS = Words(
    title="Evaluation sees other images than training",
    repair="Evaluate as in training",
    explanation=(
        "The network learns from images that are prepared in one way (their scale, normalisation, channels "
        "or size) and is judged on images that are prepared in another. What it learned is not what is "
        "measured."
    ),
)
FACTOR = RecipeFactor(
    name="evaluation",
    order=1,
    words=WORDS,
    keys=(),
    pieces=frozenset({PIECE}),
    prior=_prior,
    explain=_explain,
    entries=_entries,
    difference_words=lambda arm, other: "transform: evaluation is processed otherwise instead of as training",
)
