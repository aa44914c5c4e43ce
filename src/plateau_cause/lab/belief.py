"""What is believed about one number, such as a change of accuracy: a mixture of Gaussians."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

CONFIDENCE = 0.95  # of an interval


@dataclass(frozen=True)
class Belief:
    """A mixture of Gaussians over one number, such as a change of accuracy (0..1).

    Attributes:
        weight: (M,) of the components, adding up to 1.
        center, deviation: (M,) of each.
    """

    weight: np.ndarray
    center: np.ndarray
    deviation: np.ndarray

    @property
    def mean(self) -> float:
        """Returns the expected number."""
        return float(self.weight @ self.center)

    def probability(self, at_least: float) -> float:
        """Returns the probability that the number is at least this."""
        found = self.weight @ ndtr((self.center - at_least) / self.deviation)
        return min(1.0, float(found))  # weights may add up to a rounding error more than 1

    def interval(self, confidence: float = CONFIDENCE) -> tuple[float, float]:
        """Returns the central interval that holds the number with this probability."""
        outside = (1.0 - confidence) / 2
        return self.quantile(outside), self.quantile(1.0 - outside)

    def times(self, factor: float) -> Belief:
        """Returns what is believed about so many times the number."""
        deviation = np.maximum(np.abs(factor) * self.deviation, 1e-6)
        return Belief(self.weight, factor * self.center, deviation)

    def quantile(self, below: float) -> float:
        """Returns the value that the number stays below with this probability, to 1e-5."""
        low = float((self.center - 6 * self.deviation).min())
        high = float((self.center + 6 * self.deviation).max())
        while high - low > 1e-5:
            middle = (low + high) / 2
            low, high = (middle, high) if 1.0 - self.probability(middle) < below else (low, middle)
        return (low + high) / 2
