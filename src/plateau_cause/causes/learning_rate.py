"""A learning rate too low or too high for the parameters and the optimiser that it drives."""

from __future__ import annotations

import math
from dataclasses import replace

from plateau_cause.causes.factor import Evidence, Rates, RecipeFactor, differing, take
from plateau_cause.causes.words import Words
from plateau_cause.config.recipe import put
from plateau_cause.lab.arm import Arm

CARRIED = ("optimizer.name", "optimizer.momentum", "schedule.name", "schedule.warmup")
SAME_WITHIN = 1.26  # a tenth of a decade: nobody tunes a learning rate finer
DECAYS_PER_STEP = ("sgd", "adamw")  # their weights shrink by learning rate times weight decay


def _swap(arm: Arm, other: Arm, rates: Rates) -> Arm:
    """Takes the other's rate relative to its optimum; the decay per step stays the arm's own."""
    swapped = take(CARRIED, frozenset({"optimizer", "learning_rate"}))(arm, other, rates)
    swapped = rates.carry(arm, swapped, ratio=rates.ratio(other))
    return _keep_decay(arm, swapped) if arm.recipe.optimizer.name != other.recipe.optimizer.name else swapped


def _keep_decay(arm: Arm, swapped: Arm) -> Arm:
    names = {arm.recipe.optimizer.name, swapped.recipe.optimizer.name}
    if not names.issubset(DECAYS_PER_STEP) or "weight_decay" in swapped.own:
        return swapped
    shrink = arm.recipe.optimizer.learning_rate * arm.recipe.optimizer.weight_decay
    decay = shrink / swapped.recipe.optimizer.learning_rate
    return replace(swapped, recipe=put(swapped.recipe, {"optimizer.weight_decay": float(f"{decay:.3g}")}))


def _differs(arm: Arm, other: Arm, rates: Rates) -> bool:
    ratio = rates.ratio(arm) / rates.ratio(other)
    carried = [
        key for key in differing(CARRIED, arm, other) if key != "optimizer.momentum" or _has_momentum(arm)
    ]
    return bool(carried) or not 1 / SAME_WITHIN < ratio < SAME_WITHIN


def _has_momentum(arm: Arm) -> bool:
    return arm.recipe.optimizer.name in ("sgd", "rmsprop")


def _cause(arm: Arm, other: Arm, rates: Rates) -> str:
    return "learning_rate_low" if rates.ratio(arm) <= rates.ratio(other) else "learning_rate_high"


def _prior(arm: Arm, other: Arm, evidence: Evidence) -> float:
    # Of such differences planted in the fault suite 10 of 11 cost accuracy.
    decades = abs(math.log10(max(evidence.rate_ratio, 1e-9)))
    return min(0.9, 0.1 + 0.35 * decades)


def _explain(arm: Arm, other: Arm, evidence: Evidence) -> list[str]:
    side = "below" if evidence.rate_ratio < 1 else "above"
    times = max(evidence.rate_ratio, 1.0 / evidence.rate_ratio)
    return [
        f"The learning rate {arm.recipe.optimizer.learning_rate:g} lies {times:.3g} times {side} the "
        "reference's, each relative to the optimum of a range test on the parameters it moves."
    ]


LOW = Words(
    title="The learning rate is too low",
    repair="Raise the learning rate",
    explanation=(
        "Each step is too small for the parameters it moves: training ends long before they have arrived."
    ),
)
HIGH = Words(
    title="The learning rate is too high",
    repair="Lower the learning rate",
    explanation=(
        "Each step is too large: it overshoots, or destroys the pretrained features before they can help."
    ),
)
FACTOR = RecipeFactor(
    name="learning_rate",
    order=14,
    words=LOW,
    keys=("optimizer.learning_rate",),
    carried=CARRIED,
    pieces=frozenset({"optimizer", "learning_rate"}),
    differs=_differs,
    swap=_swap,
    cause=_cause,
    cause_words={"learning_rate_low": LOW, "learning_rate_high": HIGH},
    prior=_prior,
    explain=_explain,
)
