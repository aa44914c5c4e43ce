"""Images made on the spot and held in memory: what trains is measured on them without table or folder."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

CYCLES = 6.0  # of a class's stripes across an image
CONTRAST, NOISE = 60.0, 30.0  # of 255: the stripes, and what lies over them
SPLITS = ("train", "train", "train", "val", "test")


@dataclass(frozen=True)
class Generated:
    """What `images.store.Dataset` offers to all that embeds and trains, without a table.

    Attributes:
        pixels: (N, S, S, 3) uint8.
        targets: (N,) int64.
        classes: names.
        digest: of what training sees.
    """

    pixels: np.ndarray
    targets: np.ndarray
    classes: tuple[str, ...]
    digest: str

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def manifest(self) -> range:
        """Returns the rows."""
        return range(len(self))

    @property
    def store(self) -> Generated:
        """Returns where the images are."""
        return self

    def image(self, row: int) -> np.ndarray:
        """Returns one image (S, S, 3) uint8."""
        return self.pixels[row]

    @cached_property
    def _splits(self) -> np.ndarray:
        return np.array(SPLITS)[np.random.default_rng(0).permutation(len(self)) % len(SPLITS)]

    def indices(self, split: str) -> np.ndarray:
        """Returns the rows (n,) int64 of a split."""
        return np.flatnonzero(self._splits == split).astype(np.int64)


def stripes(images: int, size_px: int, classes: int) -> Generated:
    """Returns noisy images of stripes, one direction per class, of any phase."""
    random = np.random.default_rng(0)
    targets = np.arange(images) % classes
    y, x = np.mgrid[:size_px, :size_px].astype(np.float32) * np.float32(2 * np.pi * CYCLES / size_px)
    noise = random.normal(0, NOISE, (64 + size_px, size_px, 3)).astype(np.float32)  # windows of it: quick
    pixels = np.empty((images, size_px, size_px, 3), np.uint8)
    for row, target in enumerate(targets):
        angle, phase, start = np.pi * target / classes, random.uniform(0, 2 * np.pi), random.integers(64)
        wave = CONTRAST * np.sin(np.cos(angle) * x + np.sin(angle) * y + phase).astype(np.float32)
        pixels[row] = (127 + wave[..., None] + noise[start : start + size_px]).clip(0, 255)
    names = tuple(f"direction {number}" for number in range(classes))
    return Generated(pixels, targets.astype(np.int64), names, f"stripes {images} {size_px} {classes}")


def digits(size_px: int, images: int) -> Generated:
    """Returns scikit-learn's handwritten digits, each of their 8 x 8 pixels a square."""
    from sklearn.datasets import load_digits

    found = load_digits()
    gray = np.kron(found.images[:images], np.ones((size_px // 8, size_px // 8)))
    pixels = np.repeat((gray * (255 / 16)).astype(np.uint8)[..., None], 3, axis=-1)
    names = tuple(str(number) for number in range(10))
    return Generated(pixels, found.target[:images].astype(np.int64), names, f"digits {size_px} {images}")
