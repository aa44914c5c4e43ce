"""What a diagnosis may spend, and what of it is kept for the data."""

from __future__ import annotations

from collections.abc import Sequence

from plateau_cause.causes.hypothesis import DataFacts
from plateau_cause.config.params import Diagnosis as Limits
from plateau_cause.diagnosis.data_repairs import suspected
from plateau_cause.lab.store import Result

WITH_REPETITION = 3  # times the price of a test: it and what it is measured against once more
DATA_SHARE = 0.8  # of what the arms leave: at most so much is kept for suspicions about the data


def whole(
    recipe: Sequence[Result], reference: Sequence[Result], candidates: Sequence[float], max_cost: float
) -> float:
    """Returns what may be spent beside the candidates for the reference, in the unit of Result.cost.

    A reference that only learns a head on cached features costs nothing: then what was trained to find it, or
    the recipe's run, is the measure.

    Args:
        recipe: results of the user's arm, one per seed.
        reference: results of the reference's arm, one per seed.
        candidates: what the other candidates for the reference cost.
        max_cost: how many runs as dear as the dearest.
    """
    pairs = zip(recipe, reference, strict=True)
    return max_cost * sum(max(own.cost, other.cost, *candidates) for own, other in pairs) - sum(candidates)


def kept_for_data(facts: DataFacts, limits: Limits, gap: float, left: float) -> float:
    """Returns what the swaps leave for the data: shared by what either may explain, within DATA_SHARE.

    A share that pays for none of the tests is left to the swaps.

    Args:
        facts: what is known about the data.
        limits: the diagnosis section of params.yaml.
        gap: what the swaps have to explain, in accuracy.
        left: of the budget.
    """
    raised = suspected(facts, limits)
    prices = [price for _, price in raised if price]
    hoped = sum(hypothesis.suspicion(facts) for hypothesis, _ in raised)
    share = min(DATA_SHARE, hoped / (hoped + max(gap, 0.0))) if raised else 0.0
    kept = min(share * left, WITH_REPETITION * sum(prices))
    return kept if prices and kept >= min(prices) else 0.0
