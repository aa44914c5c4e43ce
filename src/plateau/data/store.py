"""Decoded images on disk: one memory-mapped file of uint8 RGB pixels, and the manifest that describes it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from plateau import artifacts
from plateau.errors import PlateauError

PIXELS, MANIFEST, CLASSES, QUARANTINE = "pixels.bin", "manifest.parquet", "classes.json", "quarantine.parquet"


class ImageStore:
    """uint8 RGB images of any size, back to back in one memory-mapped file."""

    def __init__(self, path: Path, offsets: np.ndarray, heights: np.ndarray, widths: np.ndarray) -> None:
        self._pixels = np.memmap(path, np.uint8, mode="r")
        self._offsets, self._heights, self._widths = offsets, heights, widths

    def __len__(self) -> int:
        return len(self._offsets)

    def image(self, index: int) -> np.ndarray:
        """Returns one image (H, W, 3) uint8, a read-only view."""
        start, height, width = int(self._offsets[index]), int(self._heights[index]), int(self._widths[index])
        return self._pixels[start : start + 3 * height * width].reshape(height, width, 3)


@dataclass(frozen=True)
class Dataset:
    """A prepared data set.

    Attributes:
        manifest: one row per image, see `data.manifest`.
        store: the decoded images in the same order.
        classes: sorted class names; `targets` index into them.
    """

    manifest: pd.DataFrame
    store: ImageStore
    classes: tuple[str, ...]

    @cached_property
    def targets(self) -> np.ndarray:
        """Returns the labels (N,) int64."""
        return self.manifest["target"].to_numpy(np.int64)

    def indices(self, split: str) -> np.ndarray:
        """Returns the rows (n,) int64 of a split, in the order of the source."""
        return np.flatnonzero(self.manifest["split"].to_numpy() == split).astype(np.int64)

    @cached_property
    def digest(self) -> str:
        """Returns a digest of everything that training sees: pixels, labels, splits, order."""
        columns = self.manifest[["image_id", "sha256", "label", "split"]].astype(str)
        return hashlib.sha256(columns.to_csv(index=False).encode()).hexdigest()[:32]


def open_dataset(folder: Path) -> Dataset:
    """Returns the data set that stage prepare_data wrote into the folder.

    Raises:
        PlateauError: there is none.
    """
    if not (folder / MANIFEST).exists():
        raise PlateauError(f"{folder}: no prepared data; run `dvc repro prepare_data` first")
    manifest = artifacts.read_parquet(folder / MANIFEST)
    sizes = [manifest[name].to_numpy(np.int64) for name in ("offset", "stored_height", "stored_width")]
    return Dataset(
        manifest, ImageStore(folder / PIXELS, *sizes), tuple(artifacts.read_json(folder / CLASSES))
    )
