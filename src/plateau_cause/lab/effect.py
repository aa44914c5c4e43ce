"""From runs to effects: paired on the same test images, with intervals, shares and a verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

NORMAL = NormalDist()
CONFIDENCE = 0.95
# Below this probability that the recipe lies `min_effect` under the reachable, it is called healthy.
HEALTHY_BELOW = 0.5

Pair = tuple[np.ndarray, np.ndarray]  # (n_test,) hit before, hit after: booleans, or shares of seeds


@dataclass(frozen=True)
class Effect:
    """A change of test accuracy (0..1) with its interval.

    Attributes:
        mean: after minus before, averaged over the pairs.
        error: standard error of the mean.
        low, high: the confidence interval.
    """

    mean: float
    error: float
    low: float
    high: float

    @property
    def decided(self) -> bool:
        """Returns whether the interval excludes zero."""
        return self.low > 0 or self.high < 0

    def probability(self, at_least: float) -> float:
        """Returns the probability that the true change is at least this much (normal approximation)."""
        return 1.0 - NORMAL.cdf((at_least - self.mean) / self.error)


def effect(pairs: Sequence[Pair]) -> Effect:
    """Returns the mean change over pairs of runs on the same test images.

    The pairs of one factor (recipe with it fixed, reference with it broken, one per seed) are averaged image
    by image, so that what the runs share is counted once. Two pseudo-images, one gained and one lost, keep
    the interval honest where few images change (Agresti and Min 2005).

    Args:
        pairs: hits before and after, each (n_test,).
    """
    changes = np.mean(
        [after.astype(float) - before.astype(float) for before, after in pairs], axis=0
    )  # (n_test,)
    n, mean = len(changes), float(changes.mean())
    variance = (float((changes**2).sum()) + 1.0) / (n + 2) - (changes.sum() / (n + 2)) ** 2
    error = math.sqrt(max(variance, 1e-12) / (n + 2))
    half = NORMAL.inv_cdf(0.5 + CONFIDENCE / 2) * error
    return Effect(mean, error, max(-1.0, mean - half), min(1.0, mean + half))


def marginal(forward: Sequence[Pair], backward: Sequence[Pair]) -> Effect:
    """Returns a factor's effect as the mean of its two marginal gains, each averaged over its own pairs.

    With main effects and pairwise interactions alone this is the Shapley value of the factor.
    """
    sides = [_average(side) for side in (forward, backward) if side]
    return effect(sides)


def _average(pairs: Sequence[Pair]) -> Pair:
    before = np.mean([pair[0] for pair in pairs], axis=0)
    after = np.mean([pair[1] for pair in pairs], axis=0)
    return before, after


def verdict(gap: Effect, min_effect: float) -> str:
    """Returns plateau | healthy | inconclusive for the distance from the recipe to the reachable."""
    if gap.mean >= min_effect:
        return "plateau" if gap.low > 0 else "inconclusive"
    return "healthy" if gap.probability(min_effect) < HEALTHY_BELOW else "inconclusive"


def share(part: Effect, gap: Effect) -> float:
    """Returns the part of the gap that an effect explains, 0..1."""
    return float(np.clip(part.mean / gap.mean, 0.0, 1.0)) if gap.mean > 0 else 0.0
