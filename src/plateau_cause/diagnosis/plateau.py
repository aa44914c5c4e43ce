"""From a learning curve to its plateau: is it flat, since when, at which level?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

SIGNIFICANCE = 0.05
CONFIDENCE = 0.90  # of the slope's interval: two one-sided tests at 5 %
FEWEST_POINTS = 3


@dataclass(frozen=True)
class Plateau:
    """A curve's end.

    Attributes:
        level: median over the flat part, or the last value where the curve is not flat.
        from_epoch: first epoch of the flat part, counted from 1; None where the curve still moves.
        change: what the fitted slope would still add over the length of the judged part.
        range: lowest and highest value of the flat part, or the last value twice.
    """

    level: float
    from_epoch: int | None
    change: float
    range: tuple[float, float]


def detect(curve: Sequence[float], tolerance: float) -> Plateau:
    """Returns the longest flat end of a curve of accuracies.

    Flat means shown to be flat, not merely not shown to move: no trend (Mann-Kendall), and the interval of
    the Theil-Sen slope, carried over the part's length, stays within the tolerance (an equivalence test).

    Args:
        curve: one value per epoch, 0..1.
        tolerance: the change that would not matter.
    """
    values = np.asarray(curve, float)
    for start in range(max(0, len(values) - FEWEST_POINTS + 1)):
        tail = values[start:]
        if _is_flat(tail, tolerance):
            ends = float(tail.min()), float(tail.max())
            return Plateau(float(np.median(tail)), start + 1, _drift(tail)[0], ends)
    last, end = values[-max(FEWEST_POINTS, len(values) // 3) :], float(values[-1])
    return Plateau(end, None, _drift(last)[0] if len(last) >= FEWEST_POINTS else 0.0, (end, end))


def explain(level: float, levels: Mapping[str, float | None], n_images: int) -> str | None:
    """Returns the name of the measured level that the plateau equals within sampling noise, nearest first."""
    # Both were measured on the same images: what they share does not tell them apart.
    noise = 1.5 * np.sqrt(max(level * (1.0 - level), 0.25 / n_images) / n_images)
    if level < (levels.get("chance") or 0.0) - noise:
        return None  # fewer than by guessing: of permuted labels a probe recognises as few
    distances = {name: abs(value - level) for name, value in levels.items() if value is not None}
    near = [name for name in distances if distances[name] <= noise]
    return min(near, key=lambda name: distances[name]) if near else None


def _is_flat(tail: np.ndarray, tolerance: float) -> bool:
    if np.ptp(tail) == 0:
        return True
    _, low, high = _drift(tail)
    return _trend_probability(tail) > SIGNIFICANCE and -tolerance <= low and high <= tolerance


def _drift(tail: np.ndarray) -> tuple[float, float, float]:
    """Returns the Theil-Sen slope and its interval, times the length (Sen 1968)."""
    from scipy.stats import theilslopes

    length = len(tail) - 1
    slope, _, low, high = theilslopes(tail, np.arange(len(tail)), alpha=CONFIDENCE)
    return float(slope) * length, float(low) * length, float(high) * length


def _trend_probability(tail: np.ndarray) -> float:
    """Returns the p-value of the Mann-Kendall trend test: Kendall's tau against time (Mann 1945)."""
    from scipy.stats import kendalltau

    p_value = float(kendalltau(np.arange(len(tail)), tail).pvalue)
    return 1.0 if np.isnan(p_value) else p_value
