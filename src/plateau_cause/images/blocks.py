"""Arrays with a row per image: small ones in memory, large ones in a file that is mapped into it.

Pages of a mapped file are the system's to drop and to read again: however many images there are, they need no
memory that anybody else would miss.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from plateau_cause.errors import PlateauError

MOST_IN_MEMORY_BYTES = 256 * 2**20  # of one array: 1,700 images of 224 px, 20,000 of 64 px
ROWS = 2**16  # that are worked on at once where all of them would take too much memory


def slices(count: int, size: int = ROWS) -> Iterator[slice]:
    """Yields slices of `size` rows (fewer in the last) that cover `count` rows."""
    return (slice(start, min(start + size, count)) for start in range(0, count, size))


def size_bytes(shape: tuple[int, ...], dtype: DTypeLike) -> int:
    """Returns the size of an array in bytes."""
    return math.prod(shape) * np.dtype(dtype).itemsize


def scratch(
    shape: tuple[int, ...], dtype: DTypeLike, folder: Path | None, most_bytes: int | None = None
) -> np.ndarray:
    """Returns an array of zeros: in memory, or in a file without a name that goes with the process.

    Args:
        shape: of the array.
        dtype: of its entries.
        folder: where the file lies, a disk with room for it; None for the system's folder for such files.
        most_bytes: of an array in memory; None for MOST_IN_MEMORY_BYTES.

    Raises:
        PlateauError: the disk has no room.
    """
    size = size_bytes(shape, dtype)
    if size <= (MOST_IN_MEMORY_BYTES if most_bytes is None else most_bytes) or not size:
        return np.zeros(shape, dtype)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        reserve(file.fileno(), size, folder or Path(tempfile.gettempdir()))
        return np.memmap(file, dtype, mode="r+", shape=shape).view(np.ndarray)


def reserve(descriptor: int, size: int, folder: Path) -> None:
    """Gives an open file its size, and the disk's room for it: a map of a full disk would kill the process.

    Raises:
        PlateauError: there is no room.
    """
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)
        os.ftruncate(descriptor, size)
    except OSError as error:
        raise PlateauError(f"{folder}: no room for {size / 1e9:.1f} GB ({error.strerror})") from None


class Gathered:
    """Rows that come part by part."""

    def __init__(self, rows: int, folder: Path | None = None) -> None:
        self._rows, self._folder, self._filled = rows, folder, 0
        self._array: np.ndarray | None = None

    def add(self, part: np.ndarray) -> None:
        """Takes the next rows (n, ...)."""
        if self._array is None:
            self._array = scratch((self._rows, *part.shape[1:]), part.dtype, self._folder)
        self._array[self._filled : self._filled + len(part)] = part
        self._filled += len(part)

    def array(self) -> np.ndarray:
        """Returns all rows (N, ...).

        Raises:
            ValueError: some have not come.
        """
        if self._array is None or self._filled != self._rows:
            raise ValueError(f"{self._filled} of {self._rows} rows")
        return self._array
