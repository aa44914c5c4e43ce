"""One pass over the store: per image all that the statistics and the search for duplicates need."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike
from PIL import Image

from plateau_cause.images.blocks import scratch
from plateau_cause.images.store import ImageStore
from plateau_cause.runtime import available_cpus, progress

THUMBNAIL_PX = 16
HASH_PX = 8
MARGIN = 3  # gray levels: smaller differences are compression noise on an even ground and set no bit
PER_TASK = 64
COLUMN_BYTES = 2**23  # of a number per image in memory; there are a dozen of them


@dataclass(frozen=True)
class Measurements:
    """Numbers per image; pixel values are 0..255.

    Attributes:
        means: (N, 3) of each channel.
        moments: (N, 3, 3), the mean product of each two channels over the pixels.
        histogram: (3, 256), pixels of all images per channel and value.
        thumbnails: (N, 16, 16, 3) uint8, whatever the aspect ratio.
        hashes: (N,) uint64, difference hashes.
        folder: where there is room for files, should anything else of this length be needed.
    """

    means: np.ndarray
    moments: np.ndarray
    histogram: np.ndarray
    thumbnails: np.ndarray
    hashes: np.ndarray
    folder: Path | None = None


def measure(store: ImageStore) -> Measurements:
    """Returns the measurements of all images, in the order of the store; of many in mapped files."""
    count = len(store)

    def rows(*shape: int, dtype: DTypeLike = np.float64) -> np.ndarray:
        return scratch((count, *shape), dtype, store.path.parent, COLUMN_BYTES)

    found = Measurements(
        rows(3),
        rows(3, 3),
        np.zeros((3, 256), np.int64),
        rows(THUMBNAIL_PX, THUMBNAIL_PX, 3, dtype=np.uint8),
        rows(dtype=np.uint64),
        store.path.parent,
    )
    starts = range(0, count, PER_TASK)

    def work(start: int) -> np.ndarray:
        return _measure_some(store, range(start, min(start + PER_TASK, count)), found)

    with ThreadPoolExecutor(max_workers=available_cpus()) as pool:
        for histogram in progress(pool.map(work, starts), len(starts), "measure"):
            found.histogram[:] += histogram
    return found


def _measure_some(store: ImageStore, rows: range, found: Measurements) -> np.ndarray:
    """Fills in these rows, and returns their histogram (3, 256)."""
    histogram = np.zeros((3, 256), np.int64)
    for row in rows:
        image = store.image(row)
        # (H·W, 3); whole numbers: sums are exact, in any order
        flat = image.reshape(-1, 3).astype(np.float64)
        found.means[row] = flat.mean(axis=0)
        found.moments[row] = flat.T @ flat / len(flat)
        for channel in range(3):
            histogram[channel] += np.bincount(image[..., channel].ravel(), minlength=256)
        picture = Image.fromarray(image)
        found.thumbnails[row] = picture.resize((THUMBNAIL_PX, THUMBNAIL_PX), Image.Resampling.BICUBIC)
        found.hashes[row] = difference_hash(picture)
    return histogram


def difference_hash(image: Image.Image) -> np.uint64:
    """Returns 64 bits: whether each pixel of the image at 9 x 8 is clearly darker than its right neighbour.

    The dHash of Krawetz (2013, "Kind of like that", hackerfactor.com), with a margin against noise.
    """
    small = image.convert("L").resize((HASH_PX + 1, HASH_PX), Image.Resampling.BOX)
    gray = np.asarray(small).astype(np.int16)  # (8, 9)
    bits = gray[:, 1:] > gray[:, :-1] + MARGIN
    return np.uint64(np.packbits(bits).view(np.uint64)[0])
