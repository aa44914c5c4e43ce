"""What a loop does to its gradients before it uses them: keeps old ones, clears new ones, clips them away.

Plateau's own loop does none of it. A user's optimizer whose `zero_grad()` leaves gradients standing can; the
rest only a script can, and is asked by replay.
"""

from __future__ import annotations

from typing import Any

from plateau_cause.causes.factor import Evidence, RecipeFactor
from plateau_cause.causes.words import Words
from plateau_cause.lab.arm import Arm

PIECE = "clearing"


def _prior(arm: Arm, other: Arm, evidence: Evidence) -> float:
    return 0.9  # a step along the sum of all gradients so far is none along this batch's


def _explain(arm: Arm, other: Arm, evidence: Evidence) -> list[str]:
    return [
        "After zero_grad() of your optimizer the gradients still stand: each step follows the sum of all "
        "that came before. Here they are cleared before each step."
    ]


def _entries(arm: Arm, fixed: Arm) -> dict[str, Any]:
    return {"recipe.code": "in your file: give an optimizer whose zero_grad() clears the gradients"}


WORDS = Words(
    title="The training loop spoils its gradients",
    repair="Mend the loop",
    explanation=(
        "A step is meant to follow the gradient of its own batch. Here the gradients of earlier batches are "
        "added to it, or it is cleared or cut to next to nothing before the step uses it."
    ),
)
FACTOR = RecipeFactor(
    name="training_loop",
    order=15,
    words=WORDS,
    keys=(),
    pieces=frozenset({PIECE}),
    prior=_prior,
    explain=_explain,
    entries=_entries,
    difference_words=lambda arm, other: "optimizer: zero_grad() leaves gradients standing instead of none",
)
