"""What the user's own network does: a body under no_grad, a detach, a dropout that is always on.

Every arm that keeps the network keeps the fault: only the declared backbone under a plain head is free of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from plateau_cause.causes.factor import Evidence, Rates, RecipeFactor
from plateau_cause.causes.words import Words
from plateau_cause.config.recipe import get, put
from plateau_cause.lab.arm import OTHER_WEIGHTS, OWN_PIECES, Arm

# What goes with the network: its own optimizer and callback are written for its layers' names.
PIECES = frozenset({*OWN_PIECES["build_model"], *OWN_PIECES["optimizer"], "batch_norm"})
DECLARABLE = {
    "trainable": ("none", "head", "last_block", "all"),
    "optimizer.name": ("adamw", "adam", "sgd", "rmsprop"),
}
SHOWN = 3  # parameters in a sentence


def _swap(arm: Arm, other: Arm, rates: Rates) -> Arm:
    """Takes the declared network; what was read off the user's objects holds, where it can be declared."""
    if ("model" in arm.own) == ("model" in other.own):
        return arm
    unsaid = {
        key: get(other.recipe, key)
        for key, allowed in DECLARABLE.items()
        if get(arm.recipe, key) not in allowed
    }
    own = (arm.own - PIECES) | (other.own & {"model"})
    return replace(arm, recipe=put(arm.recipe, unsaid), own=own)


def _differs(arm: Arm, other: Arm, rates: Rates) -> bool:
    return ("model" in arm.own) != ("model" in other.own)


def _acts(arm: Arm) -> bool:
    return arm.weights != OTHER_WEIGHTS  # another architecture is another question


def _prior(arm: Arm, other: Arm, evidence: Evidence) -> float:
    # The reference differs here only where the declared network reached clearly more, or nothing moves.
    return 0.9 if evidence.unreached else 0.6


def _explain(arm: Arm, other: Arm, evidence: Evidence) -> list[str]:
    names = list(evidence.unreached)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    moved = (
        [f"No gradient reaches {', '.join(names[:SHOWN])}{more}: whatever the optimizer holds, they stay."]
        if names
        else []
    )
    return [
        "Your own network was exchanged for the declared backbone, same weights, under a plain linear head.",
        *moved,
    ]


def _entries(arm: Arm, fixed: Arm) -> dict[str, Any]:
    return {"recipe.code": "in your file: let build_model() give the backbone under a plain linear head"}


WORDS = Words(
    title="Your network's forward keeps it from learning",
    repair="Mend the forward pass",
    explanation=(
        "The same backbone and weights under a plain head learn more. Something between the layers stops it, "
        "such as a body that runs without gradients, a detach, or a dropout that is always on."
    ),
)
FACTOR = RecipeFactor(
    name="weights_update",
    order=-1,
    words=WORDS,
    keys=(),
    pieces=PIECES,
    differs=_differs,
    acts=_acts,
    swap=_swap,
    prior=_prior,
    explain=_explain,
    entries=_entries,
    difference_words=lambda arm, other: "build_model: your network instead of the declared one",
)
