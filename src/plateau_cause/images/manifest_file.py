"""The manifest on disk: a table of few images is one Parquet file; one of many lies beside it to be mapped.

Text as an Arrow file, numbers as one array: either is read where it lies, and needs no memory of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plateau_cause import artifacts
from plateau_cause.images.manifest import COLUMNS

if TYPE_CHECKING:
    import pandas as pd

MANIFEST, TEXT, NUMBERS = "manifest.parquet", "manifest.arrow", "manifest.npy"
TEXTS = [name for name, kind in COLUMNS.items() if kind == "str"]
HELD = 10_000  # rows, of one kilobyte each
INTEGERS = [name for name, kind in COLUMNS.items() if kind != "str"]


class Rows:
    """Rows that come one by one: the first in memory, of more than HELD all in a file."""

    def __init__(self, path: Path) -> None:
        self._path, self._rows, self._written = path, list[dict[str, Any]](), 0
        self._writer: Any = None

    def __len__(self) -> int:
        return self._written + len(self._rows)

    @property
    def are_many(self) -> bool:
        """Returns whether there is a file of them."""
        return self._writer is not None

    def add(self, row: dict[str, Any]) -> None:
        """Takes the next row; every row has the same keys."""
        if len(self._rows) == HELD:
            self._flush()
        self._rows.append(row)

    def _flush(self) -> None:
        import pyarrow as pa

        kinds = {name: pa.int64() if name in INTEGERS else pa.large_string() for name in self._rows[0]}
        batch = pa.RecordBatch.from_pylist(self._rows, pa.schema(list(kinds.items())))
        if self._writer is None:
            self._writer = pa.ipc.new_file(self._path, batch.schema)
        self._writer.write_batch(batch)
        self._written += len(self._rows)
        self._rows = []

    def table(self) -> pd.DataFrame:
        """Returns all rows, of many only the text; nothing can be added any more."""
        import pandas as pd

        if not self.are_many:
            return pd.DataFrame(self._rows)
        if self._rows:
            self._flush()
            self._writer.close()
        mapped = _mapped(self._path)
        text: pd.DataFrame = mapped.select(
            [name for name in mapped.column_names if name in TEXTS]
        ).to_pandas()
        return text

    def parts(self) -> Iterator[pd.DataFrame]:
        """Yields many rows in tables of some."""
        for batch in _mapped(self._path).to_batches():
            yield batch.to_pandas()


def write(folder: Path, parts: Iterable[pd.DataFrame], count: int) -> None:
    """Writes the manifest of many images, whose complete rows come in parts."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    shape = len(INTEGERS), count
    numbers = np.lib.format.open_memmap(folder / NUMBERS, "w+", np.int64, shape)
    table = text = None
    start = 0
    for part in parts:
        rows = pa.Table.from_pandas(part, preserve_index=False)
        table = table or pq.ParquetWriter(folder / MANIFEST, rows.schema)
        table.write_table(rows)
        words = rows.select(TEXTS)
        words = words.cast(pa.schema([(name, pa.large_string()) for name in TEXTS]))
        text = text or pa.ipc.new_file(folder / TEXT, words.schema)
        text.write_table(words)
        for place, name in enumerate(INTEGERS):
            numbers[place, start : start + len(part)] = part[name].to_numpy()
        start += len(part)
    for writer in (table, text):
        if writer is not None:
            writer.close()


def read(folder: Path) -> pd.DataFrame:
    """Returns the manifest: mapped where its files are there for that, else as a whole."""
    import pandas as pd

    if not ((folder / TEXT).exists() and (folder / NUMBERS).exists()):
        return artifacts.read_parquet(folder / MANIFEST)
    text = _mapped(folder / TEXT).to_pandas()
    numbers = np.load(folder / NUMBERS, mmap_mode="r").view(np.ndarray)
    found = dict(zip(INTEGERS, numbers, strict=True))
    columns = {name: found[name] if name in found else text[name] for name in COLUMNS}
    return pd.DataFrame(columns, copy=False)


def _mapped(path: Path) -> Any:
    import pyarrow as pa

    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()
