"""The loss itself: one that does not fit what the model puts out."""

from __future__ import annotations

from plateau_cause.causes.factor import Evidence, RecipeFactor
from plateau_cause.causes.words import Words
from plateau_cause.lab.arm import Arm


def _prior(arm: Arm, other: Arm, evidence: Evidence) -> float:
    # Of such differences planted in the fault suite 2 of 3 cost accuracy.
    return 0.9 if evidence.train_loss < 0 else 0.5


def _explain(arm: Arm, other: Arm, evidence: Evidence) -> list[str]:
    words = f"The training loss ({arm.recipe.loss.name}) ended at {evidence.train_loss:.3f}"
    return [
        words
        + (": a loss below zero reads raw outputs as log-probabilities." if evidence.train_loss < 0 else ".")
    ]


WORDS = Words(
    title="The loss does not reward the right answer",
    repair="Fix the loss",
    explanation=(
        "The loss that training minimises does not fit what the model puts out, so a falling loss no "
        "longer means better predictions."
    ),
)
FACTOR = RecipeFactor(
    name="loss_function",
    order=9,
    words=WORDS,
    keys=("loss.name",),
    pieces=frozenset({"loss"}),
    prior=_prior,
    explain=_explain,
)
