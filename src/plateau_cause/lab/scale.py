"""The working scale: as many images as the swaps of a large data set need, and how long they train there.

An effect of a few points shows on a thousand images as on a million; only what is recommended has to be
trained on all of them. Small data sets have no working scale: their diagnosis is about all images.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from plateau_cause.config.recipe import Recipe, put
from plateau_cause.images.store import Dataset

LEAST_IMAGES, MOST_IMAGES = 1500, 6000  # of the training images, where classes are few
PER_CLASS = 20
SHARE = 12  # one training image in so many, between the two: at most four trainings then cost a third of one
WORTH = 4  # times as many images must there be, or all are used: below it little is saved
GROWS, LESS = 4, 2  # times as many images where a part misled, as long as all are twice as many as that
JUDGED = {"val": 1000, "test": 2500}  # two and a half thousand tell 3 points in nearly every pair of runs
LEAST_STEPS = 200  # of the optimiser, unless the recipe takes fewer anyway: about as many as the reference


@dataclass(frozen=True)
class Scale:
    """A part of a data set.

    Attributes:
        rows: (n,) of the manifest, in its order.
        images: training images among them.
        of: training images in all.
    """

    rows: np.ndarray
    images: int
    of: int

    def shortened(self, recipe: Recipe) -> Recipe:
        """Returns the recipe as it trains on this part: as many epochs, or more where steps get too few."""
        epochs = recipe.schedule.epochs
        steps = min(LEAST_STEPS, epochs * _steps(self.of, recipe))
        return put(recipe, {"schedule.epochs": max(epochs, math.ceil(steps / _steps(self.images, recipe)))})

    def whole(self, recipe: Recipe, given: Recipe) -> Recipe:
        """Returns a recipe of this part as it trains on all images.

        Args:
            recipe: of an arm that was trained on the part.
            given: the user's, as it trains on all; what was only shortened for the part is as in it again.
        """
        own = self.shortened(given)
        is_own = (recipe.schedule.epochs, recipe.batch_size) == (own.schedule.epochs, own.batch_size)
        return put(recipe, {"schedule.epochs": given.schedule.epochs}) if is_own else recipe


def scales(dataset: Dataset, seed: int = 0) -> list[Scale]:
    """Returns the parts to try in turn, each GROWS times the one before; none where all images are few.

    Args:
        dataset: all images.
        seed: which images are drawn.
    """
    n, found = len(dataset.indices("train")), []
    images = images_of_part(n, len(dataset.classes))
    while images is not None and LESS * images <= n:
        found.append(_part(dataset, images, seed))
        images *= GROWS
    return found


def images_of_part(n: int, classes: int) -> int | None:
    """Returns how many of n training images the first part has; None where all of them are few."""
    images = max(PER_CLASS * classes, min(max(LEAST_IMAGES, n // SHARE), MOST_IMAGES))
    return images if WORTH * images <= n else None


def _part(dataset: Dataset, images: int, seed: int) -> Scale:
    random = np.random.default_rng(seed)
    wanted = {"train": images, **JUDGED}
    rows = {split: _drawn(dataset, split, most, random) for split, most in wanted.items()}
    every = np.sort(np.concatenate(list(rows.values())))
    return Scale(every, len(rows["train"]), len(dataset.indices("train")))


def _drawn(dataset: Dataset, split: str, most: int, random: np.random.Generator) -> np.ndarray:
    """Returns at most about so many rows of a split, of every class its share and at least one."""
    rows = dataset.indices(split)
    if len(rows) <= most:
        return rows
    labels = dataset.targets[rows]
    return np.concatenate(
        [_some(rows[labels == label], most / len(rows), random) for label in np.unique(labels)]
    )


def _some(rows: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    return random.choice(rows, max(1, round(share * len(rows))), replace=False)


def _steps(images: int, recipe: Recipe) -> int:
    return max(1, images // recipe.batch_size)
