"""All images at one size: few in memory, many in a mapped file that later stages and runs read again."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence, Sized
from pathlib import Path
from typing import Protocol

import numpy as np
import PIL

from plateau_cause import artifacts
from plateau_cause.config.recipe import Preprocessing
from plateau_cause.images import blocks, preprocessing
from plateau_cause.images.preprocessing import Images, resize_all

ENDING = ".pixels"
KEPT_BYTES = 64 * 2**30  # of all such files together; the one that is being used stays, whatever its size
KEPT_S = 14 * 24 * 3600  # since a file was used last
AT_ONCE_BYTES = 32 * 2**20  # that are resized before they are used or written


class Pixels(Protocol):
    """What `images.store.Dataset` offers: how many images, what they are, and each of them."""

    @property
    def manifest(self) -> Sized:
        """A row per image."""
        ...

    @property
    def store(self) -> Images:
        """Where the images are."""
        ...

    @property
    def digest(self) -> str:
        """Of their content and order."""
        ...


class Resized:
    """Images (N, 3, S, S) uint8 that are resized when they are asked for, a block ahead."""

    def __init__(self, store: Images, rows: Sequence[int] | np.ndarray, spatial: Preprocessing) -> None:
        self._store, self._rows, self._spatial = store, np.asarray(rows, np.int64), spatial
        self._start, self._block = 0, np.empty((0, 3, spatial.size, spatial.size), np.uint8)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, part: slice) -> np.ndarray:
        """Returns the images of a slice without a step (n, 3, S, S)."""
        start, stop, _ = part.indices(len(self))
        if start < self._start or stop > self._start + len(self._block):
            ahead = max(stop, start + at_once(self._spatial.size))
            self._block = resize_all(self._store, self._rows[start:ahead], self._spatial)
            self._start = start
        return self._block[start - self._start : stop - self._start]


def at_once(size_px: int) -> int:
    """Returns how many images of a size are held at once, a multiple of every batch size that embeds."""
    return max(256, AT_ONCE_BYTES // (3 * size_px**2) // 256 * 256)


def whole(dataset: Pixels, given: Preprocessing, folder: Path | None) -> np.ndarray:
    """Returns all images (N, 3, S, S) uint8, resized as the preprocessing says; changes stay in this process.

    Args:
        dataset: whose images.
        given: of which size, resize and interpolation count.
        folder: where the files of large sets are kept by content; None to keep none.

    Raises:
        PlateauError: the disk has no room.
    """
    spatial = Preprocessing(size=given.size, resize=given.resize, interpolation=given.interpolation)
    shape = (len(dataset.manifest), 3, given.size, given.size)
    size = blocks.size_bytes(shape, np.uint8)
    if size <= blocks.MOST_IN_MEMORY_BYTES:
        return resize_all(dataset.store, range(shape[0]), spatial)
    if folder is None:
        result = blocks.scratch(shape, np.uint8, None)
        _fill(result, dataset.store, spatial)
        return result
    path = folder / f"{key(dataset, spatial)}{ENDING}"
    if not path.is_file() or path.stat().st_size != size:
        _clean(folder, KEPT_BYTES - size)
        with artifacts.atomic_path(path) as temporary, temporary.open("r+b") as file:
            blocks.reserve(file.fileno(), size, folder)
            _fill(np.memmap(file, np.uint8, mode="r+", shape=shape), dataset.store, spatial)
    os.utime(path)
    return np.memmap(path, np.uint8, mode="c", shape=shape).view(np.ndarray)


def key(dataset: Pixels, spatial: Preprocessing) -> str:
    """Returns what decides the resized pixels: the images, how they are resized, the code that does it."""
    code = hashlib.sha256(Path(preprocessing.__file__).read_bytes()).hexdigest()
    said = (
        f"{dataset.digest} {spatial.size} {spatial.resize} {spatial.interpolation} {PIL.__version__} {code}"
    )
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _fill(target: np.ndarray, store: Images, spatial: Preprocessing) -> None:
    for some in blocks.slices(len(target), at_once(spatial.size)):
        target[some] = resize_all(store, range(some.start, some.stop), spatial)


def _clean(folder: Path, most_bytes: int) -> None:
    """Removes files that nobody used for long, then the oldest, until the others fit."""
    now, total = time.time(), 0
    files = [(path.stat(), path) for path in folder.glob(f"*{ENDING}")]
    for found, path in sorted(files, key=lambda entry: -entry[0].st_mtime):
        total += found.st_size
        if total > most_bytes or now - found.st_mtime > KEPT_S:
            path.unlink(missing_ok=True)
