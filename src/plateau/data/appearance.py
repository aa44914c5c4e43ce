"""What each image looks like in a few numbers: brightness, contrast, colour, and a thumbnail."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from plateau.data.store import ImageStore
from plateau.runtime import progress

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
THUMB_PX = 16
GRAY_TOLERANCE = 8  # chroma noise of a JPEG that shows no colour, of 255


@dataclass(frozen=True)
class Appearance:
    """Per image, in 0..255 where nothing else is said.

    Attributes:
        mean, std: of each channel (N, 3) float64, over the pixels of the image.
        brightness, contrast: mean and standard deviation of the luma (N,) float64.
        is_gray: whether the channels are nearly equal everywhere (N,) bool.
        thumbs: squashed to 16 x 16 px (N, 16, 16, 3) uint8.
    """

    mean: np.ndarray
    std: np.ndarray
    brightness: np.ndarray
    contrast: np.ndarray
    is_gray: np.ndarray
    thumbs: np.ndarray


def measure(store: ImageStore) -> Appearance:
    """Returns the appearance of every image of a store, in its order."""
    count = len(store)
    numbers = np.empty((count, 9))
    thumbs = np.empty((count, THUMB_PX, THUMB_PX, 3), np.uint8)
    for row in progress(range(count), count, "measure images"):
        image = store.image(row)
        numbers[row] = _numbers(image)
        thumbs[row] = np.asarray(Image.fromarray(image).resize((THUMB_PX, THUMB_PX), Image.Resampling.BOX))
    mean, std, rest = np.split(numbers, [3, 6], axis=1)
    return Appearance(mean, std, rest[:, 0], rest[:, 1], rest[:, 2] <= GRAY_TOLERANCE, thumbs)


def _numbers(image: np.ndarray) -> np.ndarray:
    """Returns channel means (3), deviations (3), luma mean and deviation, and how far channels differ."""
    pixels = image.reshape(-1, 3).astype(np.float32)  # (H * W, 3)
    luma = pixels @ LUMA
    spread = np.quantile(np.ptp(pixels, axis=1), 0.99)
    return np.array([*pixels.mean(0), *pixels.std(0), luma.mean(), luma.std(), spread])
