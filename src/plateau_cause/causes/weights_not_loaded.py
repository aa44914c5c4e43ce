"""Pretrained weights that never arrived: random initialisation where a trained network is expected."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from plateau_cause.causes.factor import Evidence, Rates, RecipeFactor
from plateau_cause.causes.words import Words
from plateau_cause.lab.arm import OTHER_WEIGHTS, Arm
from plateau_cause.numbers import percent


def _swap(arm: Arm, other: Arm, rates: Rates) -> Arm:
    own = (arm.own - {"weights"}) | (other.own & {"weights"})
    return rates.carry(arm, replace(arm, weights=other.weights, own=own))


def _differs(arm: Arm, other: Arm, rates: Rates) -> bool:
    """Returns whether the weights differ; those of another architecture fit no other network."""
    return arm.weights != other.weights and OTHER_WEIGHTS not in (arm.weights, other.weights)


def _prior(arm: Arm, other: Arm, evidence: Evidence) -> float:
    # Of such differences planted in the fault suite 2 of 4 cost accuracy.
    return 0.55


def _explain(arm: Arm, other: Arm, evidence: Evidence) -> list[str]:
    return [
        f"The network starts from {arm.weights} weights; a linear probe reaches "
        f"{percent(evidence.probe_random)} on random features and "
        f"{percent(evidence.probe_canonical)} on pretrained ones (validation accuracy)."
    ]


def _entries(arm: Arm, fixed: Arm) -> dict[str, Any]:
    return {"backbone.weights": fixed.weights}


WORDS = Words(
    title="The pretrained weights are not in the model",
    repair="Load the weights",
    explanation=(
        "The backbone starts from random numbers instead of the pretrained weights, so nothing is "
        "transferred."
    ),
)
FACTOR = RecipeFactor(
    name="weights_not_loaded",
    order=0,
    words=WORDS,
    keys=(),
    pieces=frozenset({"weights"}),
    differs=_differs,
    swap=_swap,
    prior=_prior,
    explain=_explain,
    entries=_entries,
    difference_words=lambda arm, other: f"weights: {arm.weights} instead of {other.weights}",
)
