"""How much work a careful training takes, and how many runs a diagnosis may make."""

from __future__ import annotations

import math

FEWEST_EPOCHS, MOST_EPOCHS = 6, 40
FEWEST_IMAGES = 4800  # passed through the network in all, repetitions counted
MOST_RUNS = 24  # of one budget: a head on cached features costs nothing, yet its run and its look take time


def epochs_of_all(images: int) -> int:
    """Returns for how many epochs a reference trains every layer on so many images."""
    return min(MOST_EPOCHS, max(FEWEST_EPOCHS, math.ceil(FEWEST_IMAGES / images)))
