"""Decoded images on disk: one memory-mapped file of uint8 RGB pixels, and the manifest that describes it."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from plateau_cause import artifacts
from plateau_cause.errors import PlateauError
from plateau_cause.images import manifest as manifests
from plateau_cause.images import manifest_file
from plateau_cause.images.manifest import SPLITS
from plateau_cause.images.manifest_file import MANIFEST

if TYPE_CHECKING:  # what trains reads no table: a machine with torch alone can measure it
    import pandas as pd

PIXELS, CLASSES, QUARANTINE = "pixels.bin", "classes.json", "quarantine.parquet"


class ImageStore:
    """uint8 RGB images of any size, back to back in one memory-mapped file."""

    def __init__(self, path: Path, offsets: np.ndarray, heights: np.ndarray, widths: np.ndarray) -> None:
        self.path = path
        # A plain view of the map: slices of a memmap object itself are several times slower to make.
        self._pixels = np.memmap(path, np.uint8, mode="r").view(np.ndarray)
        self._offsets, self._heights, self._widths = offsets, heights, widths

    def __len__(self) -> int:
        return len(self._offsets)

    def image(self, index: int) -> np.ndarray:
        """Returns one image (H, W, 3) uint8, a read-only view."""
        start, height, width = int(self._offsets[index]), int(self._heights[index]), int(self._widths[index])
        return self._pixels[start : start + 3 * height * width].reshape(height, width, 3)

    def subset(self, rows: np.ndarray) -> ImageStore:
        """Returns these images (n,) in this order, out of the same mapped file."""
        part = copy(self)
        part._offsets, part._heights, part._widths = (
            values[rows] for values in (self._offsets, self._heights, self._widths)
        )
        return part


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

    def __len__(self) -> int:
        return len(self.manifest)

    @cached_property
    def targets(self) -> np.ndarray:
        """Returns the labels (N,) int64."""
        return self.manifest["target"].to_numpy(np.int64)

    def indices(self, split: str) -> np.ndarray:
        """Returns the rows (n,) int64 of a split, in the order of the manifest."""
        return np.flatnonzero((self.manifest["split"] == split).to_numpy(bool)).astype(np.int64)

    @property
    def split_codes(self) -> np.ndarray:
        """Returns the split of each row (N,) int8: 0 train, 1 val, 2 test."""
        codes = np.zeros(len(self), np.int8)
        for code, split in enumerate(SPLITS):
            codes[self.indices(split)] = code
        return codes

    def subset(self, rows: np.ndarray) -> Dataset:
        """Returns the data set of these rows (n,) in this order: same classes, same mapped pixels."""
        manifest = manifests.take(self.manifest, rows)
        return Dataset(manifest, self.store.subset(rows), self.classes)

    @cached_property
    def digest(self) -> str:
        """Returns a digest of all that training sees, see `data.manifest.digest`."""
        return manifests.digest(self.manifest)


def open_dataset(folder: Path) -> Dataset:
    """Returns the data set that stage prepare_data wrote into the folder.

    Raises:
        PlateauError: there is none, or its files do not belong together.
    """
    if not (folder / MANIFEST).exists():
        raise PlateauError(f"{folder}: no prepared data; run `dvc repro prepare_data` first")
    manifest = manifest_file.read(folder)
    offsets, heights, widths = (
        manifest[name].to_numpy(np.int64) for name in ("offset", "stored_height", "stored_width")
    )
    size = (folder / PIXELS).stat().st_size if (folder / PIXELS).exists() else 0
    if size == 0 or size != int((offsets + 3 * heights * widths).max()):
        raise PlateauError(f"{folder}: {PIXELS} does not fit the manifest; run `dvc repro -f prepare_data`")
    store = ImageStore(folder / PIXELS, offsets, heights, widths)
    return Dataset(manifest, store, tuple(artifacts.read_json(folder / CLASSES)))
