"""A CSV or Parquet table: one row per image, with its path and label, optionally split and group."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import pandas as pd

from plateau.data.item import Item, plain_text, read_file
from plateau.data.splits import split_name
from plateau.errors import PlateauError
from plateau.params import Columns, Data

REQUIRED = ("image", "label")


def read(data: Data, key: str = "data") -> Iterable[Item]:
    """Returns the table's rows in their order; paths are absolute or relative to the table.

    Raises:
        PlateauError: the table cannot be read, lacks a column, or names an unknown split.
    """
    path = Path(str(data.path))
    table = _load(path, key)
    names = _columns(table, data.columns, key)
    values = {role: _texts(table[name]) for role, name in names.items()}
    empty: list[str | None] = [None] * len(table)
    given = values.get("split", empty)
    known = {name: split_name(name, f"{key}.columns.split") for name in set(given) if name is not None}
    rows = zip(values["image"], values["label"], given, values.get("group", empty), strict=True)
    return [
        _item(path.parent, row, image, label, None if split is None else known[split], group)
        for row, (image, label, split, group) in enumerate(rows, start=1)
    ]


def _item(
    folder: Path, row: int, image: str | None, label: str | None, split: str | None, group: str | None
) -> Item:
    if image is None:
        return Item(f"row {row}", f"row {row}", label or "", bytes, split, group, refused="no image path")
    file = folder / image  # an absolute path stays what it is
    refused = "no label" if label is None else None
    name, source = _image_id(file, folder), plain_text(str(file))
    return Item(name, source, plain_text(label or ""), partial(read_file, file), split, group, refused)


def _image_id(file: Path, folder: Path) -> str:
    """Returns the path relative to the table where it lies below it: then ids are the same on any machine."""
    absolute, top = os.path.abspath(file), os.path.abspath(folder)
    inside = absolute.startswith(top + os.sep)
    return plain_text(Path(os.path.relpath(absolute, top) if inside else absolute).as_posix())


def _load(path: Path, key: str) -> pd.DataFrame:
    try:
        return pd.read_parquet(path) if path.suffix.lower() == ".parquet" else _load_csv(path)
    except Exception as error:  # pandas and pyarrow each raise their own
        reason = " ".join(str(error).split())[:200]
        raise PlateauError(f"{key}.path: {str(path)!r} cannot be read as a table: {reason}") from None


def _load_csv(path: Path) -> pd.DataFrame:
    """Returns all columns as text: 007 and NA are labels like any other; only an empty cell is missing."""
    with path.open(encoding="utf-8-sig") as file:
        header = file.readline()
    separator = max(",;\t", key=header.count)
    return pd.read_csv(
        path, sep=separator, dtype=str, keep_default_na=False, na_values=[""], encoding="utf-8-sig",
        skipinitialspace=True,
    )  # fmt: skip


def _columns(table: pd.DataFrame, columns: Columns, key: str) -> dict[str, str]:
    """Returns role -> column; split and group may be absent where their names are the defaults."""
    there = [str(column) for column in table.columns]
    found = {}
    for role in ("image", "label", "split", "group"):
        name = str(getattr(columns, role))
        if name in there:
            found[role] = name
        elif role in REQUIRED or name != getattr(Columns(), role):
            near = difflib.get_close_matches(name, there, n=1, cutoff=0.4)
            hint = f"; did you mean {near[0]}?" if near else ""
            names = ", ".join(there[:20]) or "none"
            raise PlateauError(
                f"{key}.columns.{role}: got {name!r}, which is no column of the table{hint}; columns: {names}"
            )
    return found


def _texts(column: pd.Series) -> list[str | None]:
    return [_text(value) for value in column.tolist()]


def _text(value: object) -> str | None:
    """Returns a cell as text; 3.0, which pandas makes of 3 beside a gap, is 3; blank is None."""
    if value is None or value is pd.NA or value != value:  # NaN is not equal to itself
        return None
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
    return text or None
