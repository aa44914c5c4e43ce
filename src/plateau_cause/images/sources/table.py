"""Tables: one row per image, with its path or its bytes, its label, optionally split and group.

A CSV file, a Parquet file, or many Parquet files: a folder or a pattern of shards.
"""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from plateau_cause.config.params import Data
from plateau_cause.errors import PlateauError
from plateau_cause.images import columns, parquet, shards
from plateau_cause.images.item import Item, plain_text, read_file
from plateau_cause.runtime import progress

Cells = list[str | None]


@dataclass(frozen=True)
class _Table:
    """The text cells of one file.

    Attributes:
        file: its path.
        images: paths; None where the images themselves are in the table.
        image_column: its name.
        labels: class names; splits, groups: None where there is none.
    """

    file: Path
    images: Cells | None
    image_column: str
    labels: Cells
    splits: Cells
    groups: Cells

    def rows(self) -> Iterable[tuple[int, str | None, str | None, str | None]]:
        """Yields (row, label, split, group)."""
        return zip(range(len(self.labels)), self.labels, self.splits, self.groups, strict=True)


def read(data: Data, key: str = "data") -> Iterable[Item]:
    """Yields the rows in their order; paths are absolute or relative to their table.

    Raises:
        PlateauError: a table cannot be read, lacks a column, or names an unknown split.
    """
    path = Path(str(data.path))
    files, top = shards.find(path, ".parquet", key), shards.folder(path)
    splits = shards.split_names(files, top) if len(files) > 1 else [None]
    reader = parquet.ImageReader()
    for file, split in progress(zip(files, splits, strict=True), len(files), "read tables"):
        table = _load(file, split, data, key)
        if table.images is None:
            yield from _with_bytes(table, top, reader)
        else:
            yield from _with_paths(table, table.images, top)


def local_files(data: Data, key: str = "data") -> Path | None:
    """Returns the table, or the folder of its shards."""
    return shards.watched(Path(str(data.path)))


def _with_paths(table: _Table, images: Cells, top: Path) -> Iterable[Item]:
    for row, label, split, group in table.rows():
        image = images[row]
        if image is None:
            name = f"row {row + 1}"
            yield Item(name, name, label or "", bytes, split, group, refused="no image path")
            continue
        file = table.file.parent / image  # an absolute path stays what it is
        name, source = _image_id(file, top), plain_text(str(file))
        yield _item(name, source, label, partial(read_file, file), split, group)


def _with_bytes(table: _Table, top: Path, reader: parquet.ImageReader) -> Iterable[Item]:
    shard, source = _image_id(table.file, top), plain_text(str(table.file))
    for row, label, split, group in table.rows():
        load = partial(reader.read, table.file, table.image_column, row)
        yield _item(f"{shard}/{row:07d}", f"{source} row {row + 1}", label, load, split, group)


def _item(
    name: str, source: str, label: str | None, load: Callable[[], bytes], split: str | None, group: str | None
) -> Item:
    refused = "no label" if label is None else None
    return Item(name, source, plain_text(label or ""), load, split, group, refused)


def _image_id(file: Path, folder: Path) -> str:
    """Returns the path, relative to the folder where it lies below it: ids are the same on any machine."""
    absolute, top = os.path.abspath(file), os.path.abspath(folder)
    inside = absolute.startswith(top + os.sep)
    return plain_text(Path(os.path.relpath(absolute, top) if inside else absolute).as_posix())


def _load(file: Path, split: str | None, data: Data, key: str) -> _Table:
    with _as_table(file, key):
        there, load = (_open_parquet if file.suffix.lower() == ".parquet" else _open_csv)(file)
    what = "the table" if str(file) == data.path else repr(str(file))
    names = columns.find(list(there), data.columns, key, what=what)
    stored = there[names["image"]]
    with _as_table(file, key):
        cells = load([name for role, name in names.items() if not (stored and role == "image")])
    labels = cells[names["label"]]
    splits: Cells = [split] * len(labels)
    if "split" in names:
        splits = columns.splits(cells[names["split"]], key)
    groups: Cells = cells[names["group"]] if "group" in names else [None] * len(labels)
    return _Table(file, None if stored else cells[names["image"]], names["image"], labels, splits, groups)


@contextmanager
def _as_table(file: Path, key: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # pandas and pyarrow each raise their own
        reason = " ".join(str(error).split())[:200]
        if isinstance(error, UnicodeError):
            reason = f"it is no UTF-8 ({reason}); save it as UTF-8"
        raise PlateauError(f"{key}.path: {str(file)!r} cannot be read as a table: {reason}") from None


def _open_csv(path: Path) -> tuple[dict[str, bool], Callable[[list[str]], dict[str, Cells]]]:
    """Returns the columns, none of which holds images, and a function that reads some of them.

    All cells are text: 007 and NA are labels like any other; only an empty cell is missing.
    """
    with path.open(encoding="utf-8-sig") as file:
        header = file.readline()
    separator = max(",;\t", key=header.count)
    _refuse_repeats(next(csv.reader([header], delimiter=separator, skipinitialspace=True), []))
    table = pd.read_csv(
        path, sep=separator, dtype=str, keep_default_na=False, na_values=[""], encoding="utf-8-sig",
        skipinitialspace=True,
    )  # fmt: skip
    if not isinstance(table.index, pd.RangeIndex):  # pandas takes the first fields for names of the rows
        raise ValueError(f"its rows have more fields than its header has names ({len(table.columns)})")
    return dict.fromkeys(map(str, table.columns), False), partial(_texts, table)


def _refuse_repeats(names: list[str]) -> None:
    """Raises where two columns have one name: which of them is meant, nobody can tell."""
    repeated = [name for name, count in Counter(names).items() if count > 1 and name]
    if repeated:
        raise ValueError(f"two columns are called {plain_text(repeated[0])!r}; rename one")


def _open_parquet(path: Path) -> tuple[dict[str, bool], Callable[[list[str]], dict[str, Cells]]]:
    """Returns column -> whether it holds images, and a function that reads some of them as text."""
    import pyarrow.parquet as pq

    schema = pq.read_schema(path)
    _refuse_repeats(schema.names)

    def load(wanted: list[str]) -> dict[str, Cells]:
        with pq.ParquetFile(path) as file:
            cells = _texts(file.read(columns=wanted).to_pandas(), wanted)
        return {name: _named(texts, parquet.class_names(schema, name)) for name, texts in cells.items()}

    return {field.name: parquet.holds_images(field.type) for field in schema}, load


def _texts(table: pd.DataFrame, wanted: list[str]) -> dict[str, Cells]:
    return {name: [columns.text(value) for value in table[name].tolist()] for name in wanted}


def _named(texts: Cells, classes: list[str] | None) -> Cells:
    """Returns class names for their numbers, where the file says them; -1 marks a label that is withheld."""
    if classes is None:
        return texts
    names = {str(number): name for number, name in enumerate(classes)}
    return [names.get(text) if text is not None else None for text in texts]
