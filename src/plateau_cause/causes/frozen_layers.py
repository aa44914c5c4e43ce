"""Layers frozen that should move (or moved that should rest): which parameters learn at all."""

from __future__ import annotations

from dataclasses import replace

from plateau_cause.causes.factor import Evidence, Rates, RecipeFactor, take, with_freed_rate
from plateau_cause.causes.words import Words
from plateau_cause.config.recipe import put
from plateau_cause.lab.arm import Arm
from plateau_cause.numbers import percent


def _swap(arm: Arm, other: Arm, rates: Rates) -> Arm:
    """Takes what is trainable, under a learning rate that suits what moves now."""
    swapped = take(("trainable",), frozenset({"trainable"}))(arm, other, rates)
    if not batch_norm_acts(arm):
        # Where every batch-norm layer was frozen, the recipe never chose a mode: the other's comes along.
        swapped = replace(
            swapped,
            recipe=put(swapped.recipe, {"batch_norm": other.recipe.batch_norm}),
            own=swapped.own - {"batch_norm"},
        )
    return with_freed_rate(arm, swapped, other, rates)


def batch_norm_acts(arm: Arm) -> bool:
    """Returns whether the arm trains layers that hold batch norm, or leaves the modes to the user's code."""
    return arm.recipe.trainable not in ("none", "head") or "batch_norm" in arm.own


def _prior(arm: Arm, other: Arm, evidence: Evidence) -> float:
    """Returns more the further the reference leaves the best probe on frozen features behind."""
    if arm.recipe.trainable == "none":
        return 0.95
    # Of such differences planted in the fault suite 9 of 10 cost accuracy.
    return 0.4 + 0.5 * evidence.beyond_frozen


def _explain(arm: Arm, other: Arm, evidence: Evidence) -> list[str]:
    words = {
        "none": "nothing at all",
        "head": "only the head",
        "last_block": "only the last block and the head",
    }
    moved = words.get(str(arm.recipe.trainable), f"{arm.recipe.trainable} of the network")
    return [
        f"The recipe moves {moved}; frozen features alone carry a linear probe to "
        f"{percent(evidence.probe_canonical)}, the reference with {other.recipe.trainable} trainable "
        f"reaches {percent(evidence.reference_val)} (validation accuracy)."
    ]


WORDS = Words(
    title="Frozen layers hold the features back",
    repair="Unfreeze the layers",
    explanation=(
        "Only part of the network may learn. The rest keeps computing features made for other images."
    ),
)
FACTOR = RecipeFactor(
    name="frozen_layers",
    order=5,
    words=WORDS,
    keys=("trainable",),
    carried=("batch_norm",),
    pieces=frozenset({"trainable"}),
    swap=_swap,
    prior=_prior,
    explain=_explain,
)
