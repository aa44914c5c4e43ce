"""A part of a large data set, classes and splits in their shares: what costs much per image sees no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from plateau_cause.images.store import Dataset

# With a fifth of them for testing, the standard error of an accuracy is at most 0.8 points: what is reported
# begins at 3 (`diagnosis.min_effect`). Neighbours and probes cost the square of it, or many passes.
SIZE = 20_000
PER_CLASS = 20  # of a class on average, where there are so many classes that SIZE leaves fewer
FEWEST = 3  # of a class in a split, where it has as many


def sampled(dataset: Dataset, include: np.ndarray | None = None) -> np.ndarray | None:
    """Returns the rows (n,) of the sample that features are computed of, ascending; None for all rows.

    Args:
        dataset: all images.
        include: rows that have to be among them; the others make it a sample of SIZE.
    """
    size = max(SIZE, PER_CLASS * len(dataset.classes))
    if len(dataset.manifest) <= size:
        return None
    if include is None:
        return stratified_sample(dataset.targets, dataset.split_codes, size)
    others = stratified_sample(dataset.targets, dataset.split_codes, max(1, size - len(include)))
    return np.union1d(include, others)


def stratified_sample(targets: np.ndarray, splits: np.ndarray, size: int, seed: int = 0) -> np.ndarray:
    """Returns rows (n,) int64, ascending: each class in each split in its proportion, FEWEST of it at least.

    A smaller sample of the same seed lies within a larger one, but for single rows where shares are rounded.

    Args:
        targets: (N,) integers.
        splits: (N,) integers, or names.
        size: rows that are wanted; more are returned only where FEWEST of every class and split are more.
        seed: of the draw; the same numbers give the same rows anywhere.
    """
    if len(targets) <= size:
        return np.arange(len(targets))
    codes = np.unique(splits, return_inverse=True)[1]
    stratum = np.unique(targets.astype(np.int64) * (codes.max() + 1) + codes, return_inverse=True)[1]
    counts = np.bincount(stratum)
    kept = shares(counts, np.minimum(counts, FEWEST), size)
    shuffled = np.random.default_rng(seed).permutation(len(targets))
    by_stratum = shuffled[np.argsort(stratum[shuffled], kind="stable")]
    place = np.arange(len(targets)) - np.repeat(np.cumsum(counts) - counts, counts)  # within its stratum
    return np.sort(by_stratum[place < np.repeat(kept, counts)])


def shares(counts: np.ndarray, fewest: np.ndarray, most: int) -> np.ndarray:
    """Returns how many (S,) of each stratum to keep: in proportion, none below its fewest, `most` in all.

    Where the fewest add up to more than that, they are what is kept.
    """
    ideal = counts * (most / counts.sum())
    kept: np.ndarray = np.maximum(fewest, np.floor(ideal).astype(np.int64))
    while (missing := most - int(kept.sum())) and (missing > 0 or (kept > fewest).any()):
        lacking = ideal - kept
        if missing > 0:
            kept[np.argmax(np.where(kept < counts, lacking, -np.inf))] += 1
        else:
            kept[np.argmin(np.where(kept > fewest, lacking, np.inf))] -= 1
    return kept
