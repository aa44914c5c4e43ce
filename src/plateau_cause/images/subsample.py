"""A subsample of the images, each class and split in proportion."""

from __future__ import annotations

import numpy as np
import pandas as pd

from plateau_cause.errors import PlateauError
from plateau_cause.images.sample import shares
from plateau_cause.images.splits import FEWEST, sorted_rows


def subsample(images: pd.DataFrame, most: int, seed: int, key: str = "data") -> np.ndarray:
    """Returns the rows (at most `most`,) of a stratified subsample, in ascending order.

    Classes, and given splits within them, keep their proportions as far as each can keep an image.

    Args:
        images: columns image_id (unique), label, split (None: not given).
        most: images to keep.
        seed: of the draw; it depends on the ids, not on their order.
        key: section of params.yaml, for messages.

    Raises:
        PlateauError: too few to keep an image of every class in every split.
    """
    if len(images) <= most:
        return np.arange(len(images))
    order = sorted_rows(images["image_id"])
    table = images.iloc[order]
    stratum = table.groupby([table["label"], table["split"].fillna("")], sort=True).ngroup().to_numpy()
    counts = np.bincount(stratum)
    fewest = 1 if table["split"].notna().any() else FEWEST
    kept = _allocate(counts, np.minimum(counts, fewest), most, key)
    shuffled = np.random.default_rng(seed).permutation(len(table))
    by_stratum = shuffled[np.argsort(stratum[shuffled], kind="stable")]
    first = np.cumsum(counts) - counts
    rows = np.concatenate([by_stratum[f : f + k] for f, k in zip(first, kept, strict=True)])
    return np.asarray(np.sort(order[rows]))


def _allocate(counts: np.ndarray, fewest: np.ndarray, most: int, key: str) -> np.ndarray:
    """Returns how many (S,) of each stratum to keep: in proportion, none below its fewest, `most` in all."""
    if fewest.sum() > most:
        raise PlateauError(
            f"{key}.max_images: got {most}; allowed: at least {fewest.sum()}, to keep images of every "
            "class in every split"
        )
    return shares(counts, fewest, most)
