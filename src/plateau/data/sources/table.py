"""A CSV or Parquet table: one row per image, with its path and label, optionally split and group."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from plateau.data.item import Item
from plateau.errors import PlateauError
from plateau.params import Data


def read(data: Data) -> Iterable[Item]:
    """Returns the table's rows in their order; paths are absolute or relative to the table.

    Raises:
        PlateauError: the table cannot be read, or lacks the image or the label column.
    """
    path = Path(str(data.path))
    table = _load(path)
    columns = data.columns
    _require(table, "image", columns.image)
    _require(table, "label", columns.label)
    images = table[columns.image].astype(str)
    repeated = images.duplicated()
    splits = _optional(table, columns.split)
    groups = _optional(table, columns.group)
    return [
        _item(path.parent, f"{image}#{row}" if repeated.iloc[row] else image, image, label, splits[row], groups[row])
        for row, (image, label) in enumerate(zip(images, table[columns.label], strict=True))
    ]


def _item(folder: Path, name: str, image: str, label: object, split: str | None, group: str | None) -> Item:
    file = folder / image
    refused = None if file.is_file() else "no such file"
    if label is None or label != label:  # NaN is not equal to itself
        refused = "no label"
    return Item(name, str(file), _text(label), file.read_bytes, split, group, refused)


def _load(path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(path) if path.suffix.lower() == ".parquet" else pd.read_csv(path)
    except Exception as error:  # pandas and pyarrow each raise their own
        raise PlateauError(f"data.path: {str(path)!r} cannot be read: {' '.join(str(error).split())[:200]}") from error


def _require(table: pd.DataFrame, key: str, name: str) -> None:
    if name not in table.columns:
        near = difflib.get_close_matches(name, [str(column) for column in table.columns], 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        there = ", ".join(str(column) for column in table.columns)
        raise PlateauError(f"data.columns.{key}: got {name!r}, which the table lacks{hint} it has: {there}")


def _optional(table: pd.DataFrame, name: str | None) -> list[str | None]:
    if name is None or name not in table.columns:
        return [None] * len(table)
    return [None if value is None or value != value else _text(value) for value in table[name]]


def _text(value: object) -> str:
    """Returns a label as text: 3.0, which pandas makes of 3 beside a gap, is 3."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
