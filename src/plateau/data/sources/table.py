"""A CSV or Parquet table: one row per image, with its path and label, optionally split and group."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from plateau import schema
from plateau.data.item import Item
from plateau.errors import PlateauError
from plateau.params import Data

Texts = list[str | None]


def read(data: Data) -> Iterable[Item]:
    """Returns the table's rows in their order; paths are absolute or relative to the table.

    Raises:
        PlateauError: the table cannot be read, or lacks the image or the label column.
    """
    path = Path(str(data.path))
    table = _load(path)
    columns = data.columns
    images, labels = (_required(table, key, getattr(columns, key)) for key in ("image", "label"))
    splits, groups = (_optional(table, name) for name in (columns.split, columns.group))
    names = _unique(images)
    rows = zip(names, images, labels, splits, groups, strict=True)
    return [_item(path.parent, *row) for row in rows]


def _item(
    folder: Path, name: str, image: str | None, label: str | None, split: str | None, group: str | None
) -> Item:
    file = folder / (image or "")
    refused = None if file.is_file() else "no such file"
    if image is None:
        refused = "no image path"
    elif label is None:
        refused = "no label"
    return Item(name, str(file), label or "", file.read_bytes, split, group, refused)


def _load(path: Path) -> pd.DataFrame:
    try:
        if path.suffix.lower() == ".parquet":
            return pd.read_parquet(path)
        # As text: 007 is not 7, and a class may be called NA or None.
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except Exception as error:  # pandas and pyarrow each raise their own
        reason = " ".join(str(error).split())[:200]
        raise PlateauError(f"data.path: {str(path)!r} cannot be read: {reason}") from None


def _required(table: pd.DataFrame, key: str, name: str) -> Texts:
    if name not in table.columns:
        there = [str(column) for column in table.columns]
        raise PlateauError(
            f"data.columns.{key}: got {name!r}, which the table lacks; it has: {', '.join(there)}"
            f"{schema.suggestion(name, there)}"
        )
    return _texts(table[name])


def _optional(table: pd.DataFrame, name: str) -> Texts:
    return _texts(table[name]) if name in table.columns else [None] * len(table)


def _texts(column: pd.Series) -> Texts:
    """Returns cells as text; 3.0, which pandas makes of 3 beside a gap, is 3, and a gap is None."""
    gaps = column.isna() | (column == "")
    return [None if is_gap else _text(cell) for cell, is_gap in zip(column, gaps, strict=True)]


def _text(cell: object) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _unique(images: Texts) -> list[str]:
    """Returns a name for each row: its image path, with the row's number where that is not new."""
    seen: set[str] = set()
    names = []
    for row, image in enumerate(images):
        name = image if image is not None and image not in seen else f"{image or ''}#{row}"
        seen.add(name)
        names.append(name)
    return names
