"""The rate at which layers that were frozen are trained: a new head bears a hundred times more."""

from __future__ import annotations

LOWEST, HIGHEST = 1e-5, 1e-4  # rates of Keras' guides to fine-tuning
PART = 0.01


def of_pretrained(rate: float) -> float:
    """Returns the rate for layers that thaw, where a head was trained at `rate`; never a higher one."""
    return min(max(PART * rate, LOWEST), HIGHEST, rate)
