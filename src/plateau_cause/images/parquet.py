"""Images inside Parquet files: read in the order of the rows, a few at a time, never a whole file."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict, deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from plateau_cause.images.item import UnreadableError, read_file, refuse_large
from plateau_cause.runtime import available_cpus

BATCH_ROWS = 16
BUFFER_BYTES = 2**20  # of a column that is read piece by piece instead of as a whole
OPEN_FILES = 2  # threads that still read the end of one file, and those at the start of the next
KEPT_PER_CPU = 4  # threads ask a little out of order; what was read last is kept for them


def holds_images(kind: Any) -> bool:
    """Returns whether a column of this Arrow type holds encoded images: bytes, or a struct with bytes."""
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return any(child.name == "bytes" and holds_images(child.type) for child in kind)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def class_names(schema: Any, column: str) -> list[str] | None:
    """Returns the class names that the `datasets` library left in a Parquet schema, None without any."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return [str(name) for name in features[column]["names"]]
    except (KeyError, TypeError, ValueError):
        return None


def image_bytes(value: Any, folder: Path) -> bytes:
    """Returns the encoded image of a cell: bytes, a path, or a struct of both.

    Args:
        value: of the cell.
        folder: that relative paths start from.

    Raises:
        UnreadableError: the cell is empty, or far too large.
        OSError: it names a file that cannot be read.
    """
    if isinstance(value, dict):
        value = value.get("bytes") or value.get("path")
    if isinstance(value, str):
        return read_file(folder / value)
    if value is None:
        raise UnreadableError("no image")
    refuse_large(len(value))
    return bytes(value)


class ImageReader:
    """Reads single images of any number of Parquet files; safe to use from several threads.

    Ascending rows of one file after the other are cheap; going back starts a row group anew.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: OrderedDict[Path, _Cursor] = OrderedDict()

    def read(self, path: Path, column: str, row: int) -> bytes:
        """Returns the encoded image of a row, counted from 0.

        Raises:
            UnreadableError: there is none, or the file is damaged there.
            OSError: the row names a file that cannot be read.
        """
        with self._lock:
            try:
                value = self._cursor(path, column).value(row)
            except Exception as error:  # pyarrow raises several kinds
                self._open.pop(path, None)
                raise UnreadableError(f"damaged: {' '.join(str(error).split())[:120]}") from None
        return image_bytes(value, path.parent)

    def _cursor(self, path: Path, column: str) -> _Cursor:
        if path not in self._open:
            self._open[path] = _Cursor(path, column)
        self._open.move_to_end(path)
        while len(self._open) > OPEN_FILES:
            self._open.popitem(last=False)
        return self._open[path]


class _Cursor:
    """A place in the column of one file, and the rows just before it."""

    def __init__(self, path: Path, column: str) -> None:
        import pyarrow.parquet as pq

        self._file, self._column = pq.ParquetFile(path, buffer_size=BUFFER_BYTES, pre_buffer=False), column
        sizes = [self._file.metadata.row_group(group).num_rows for group in range(self._file.num_row_groups)]
        self._starts = np.cumsum([0, *sizes])
        self._coming: Iterator[Any] = iter(())
        self._next = 0
        self._kept: deque[Any] = deque(maxlen=BATCH_ROWS + KEPT_PER_CPU * available_cpus())

    def value(self, row: int) -> Any:
        group = int(np.searchsorted(self._starts, row, side="right")) - 1
        if row < self._next - len(self._kept) or self._next <= self._starts[group]:
            self._start(group)
        while self._next <= row:
            self._kept.append(next(self._coming))
            self._next += 1
        return self._kept[row - self._next]

    def _start(self, group: int) -> None:
        """Goes to the start of a row group; what is kept of the rows before it stays where it is adjacent."""
        if self._next != self._starts[group]:
            self._kept.clear()
        self._next = int(self._starts[group])
        self._coming = self._rows(range(group, len(self._starts) - 1))

    def _rows(self, groups: range) -> Iterator[Any]:
        for batch in self._file.iter_batches(BATCH_ROWS, row_groups=list(groups), columns=[self._column]):
            for value in batch.column(0):
                yield value.as_py()
