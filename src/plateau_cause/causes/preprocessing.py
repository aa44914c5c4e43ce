"""Preprocessing other than what the weights were trained on: scale, mean, std, channels, resize."""

from __future__ import annotations

from plateau_cause.causes.factor import LARGE, Evidence, RecipeFactor
from plateau_cause.causes.words import Words
from plateau_cause.lab.arm import Arm
from plateau_cause.numbers import percent

KEYS = tuple(
    f"preprocessing.{name}" for name in ("resize", "interpolation", "scale", "mean", "std", "channels")
)
PIECES = frozenset({"transform"})  # what it does otherwise in evaluation is a factor of its own
VALUES = ("scale", "mean", "std", "channels")  # change every number that the first layer sees
# Fine-tuning every layer repairs most of a wrong scale by itself.
REPAIRED_BY_TUNING = 0.5


def _prior(arm: Arm, other: Arm, evidence: Evidence) -> float:
    """Returns more the more a probe gains from what the weights declare; tuning all layers repairs most."""
    # Of such differences planted in the fault suite 4 of 8 cost accuracy, all of them in the values.
    own, right = arm.recipe.preprocessing, other.recipe.preprocessing
    is_other = bool(arm.own & PIECES) or any(getattr(own, key) != getattr(right, key) for key in VALUES)
    ahead = max(0.0, evidence.probe_canonical - evidence.probe_recipe) / LARGE
    ahead = min(1.0, ahead * (REPAIRED_BY_TUNING if arm.recipe.trainable == "all" else 1.0))
    return (0.35 if is_other else 0.1) + 0.55 * ahead


def _explain(arm: Arm, other: Arm, evidence: Evidence) -> list[str]:
    return [
        f"A linear probe on the frozen features reaches {percent(evidence.probe_recipe)} under this "
        f"preprocessing and {percent(evidence.probe_canonical)} under the one that the weights declare "
        "(validation accuracy)."
    ]


WORDS = Words(
    title="Preprocessing does not fit the weights",
    repair="Preprocess as expected",
    explanation=(
        "The pretrained weights were made for inputs scaled and normalised in one particular way. "
        "They now see something else, so the features they compute carry less."
    ),
)
FACTOR = RecipeFactor(
    name="preprocessing",
    order=2,
    words=WORDS,
    keys=KEYS,
    pieces=PIECES,
    prior=_prior,
    explain=_explain,
)
