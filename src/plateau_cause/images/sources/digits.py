"""The embedded default: scikit-learn's 1,797 scanned digits of 8 x 8 pixels, no network needed."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import numpy as np

from plateau_cause.config.params import Data
from plateau_cause.images.item import Item

BRIGHTEST = 16  # the scans count the ink of 4 x 4 blocks


def read(data: Data, key: str = "data") -> Iterable[Item]:
    """Returns the digits as gray images in 0..255, in the order of the data set."""
    from sklearn.datasets import load_digits

    found = load_digits()
    images = np.rint(found.images * (255.0 / BRIGHTEST)).astype(np.uint8)  # (N, 8, 8)
    return [
        Item(f"digits-{row:04d}", "sklearn.datasets.load_digits", str(target), partial(np.array, image))
        for row, (image, target) in enumerate(zip(images, found.target, strict=True))
    ]


def local_files(data: Data, key: str = "data") -> Path | None:
    """Returns None: the digits come with scikit-learn."""
    return None
