"""From runs to effects: paired on the same test images, with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

NORMAL = NormalDist()
CONFIDENCE = 0.95

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
    # (n_test,)
    changes = np.mean([after.astype(float) - before.astype(float) for before, after in pairs], axis=0)
    n, mean = len(changes), float(changes.mean())
    variance = (float((changes**2).sum()) + 1.0) / (n + 2) - (changes.sum() / (n + 2)) ** 2
    error = math.sqrt(max(variance, 1e-12) / (n + 2))
    half = NORMAL.inv_cdf(0.5 + CONFIDENCE / 2) * error
    return Effect(mean, error, max(-1.0, mean - half), min(1.0, mean + half))
