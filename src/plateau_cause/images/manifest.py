"""The manifest: one row per image, and what follows from it (classes, targets, digest)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

# image_id: stable and unique, such as the path below the data folder. group: None where there is none.
# sha256: of the stored pixels and their shape. width, height: original, upright, pixels.
# offset: bytes into pixels.bin, where the image lies as stored_height x stored_width x 3.
COLUMNS = {
    "image_id": "str",
    "source": "str",
    "label": "str",
    "target": "int64",
    "split": "str",
    "group": "str",
    "sha256": "str",
    "width": "int64",
    "height": "int64",
    "stored_width": "int64",
    "stored_height": "int64",
    "offset": "int64",
}
SPLITS = ("train", "val", "test")
ROWS_AT_ONCE = 2**16  # as Python's own objects, which take several times the memory
WHAT_TRAINING_SEES = ["image_id", "label", "split", "group", "sha256"]


def class_names(labels: Sequence[str] | pd.Series) -> list[str]:
    """Returns the distinct labels, sorted: a target is the index of its label among them."""
    return sorted(set(labels))


def complete(images: pd.DataFrame, splits: np.ndarray, classes: Sequence[str]) -> pd.DataFrame:
    """Returns the manifest of decoded images: splits and targets added, columns in order, typed."""
    targets = {name: target for target, name in enumerate(classes)}
    table = images.assign(split=splits, target=images["label"].map(targets))
    typed = {name: kind for name, kind in COLUMNS.items() if kind != "str"}
    return table[list(COLUMNS)].astype(typed)


def values_at(column: pd.Series, rows: np.ndarray) -> np.ndarray:
    """Returns the values (n,) object of a column at these rows; of a long one a few at a time are made."""
    result, order = np.empty(len(rows), object), np.argsort(rows, kind="stable")
    ends = np.searchsorted(rows[order], np.arange(0, len(column) + ROWS_AT_ONCE, ROWS_AT_ONCE))
    for number, (first, last) in enumerate(pairwise(ends)):
        if first < last:
            start, mine = number * ROWS_AT_ONCE, order[first:last]
            some = column.iloc[start : start + ROWS_AT_ONCE].to_numpy(object)
            result[mine] = some[rows[mine] - start]
    return result


def take(manifest: pd.DataFrame, rows: np.ndarray) -> pd.DataFrame:
    """Returns these rows (n,) of a manifest, numbered from 0; of a long one without a copy of its text."""
    import pandas as pd

    if len(manifest) <= ROWS_AT_ONCE:
        return manifest.iloc[rows].reset_index(drop=True)
    columns = {
        name: manifest[name].to_numpy()[rows]
        if COLUMNS.get(name) == "int64"
        else pd.Series(values_at(manifest[name], rows), dtype=manifest[name].dtype)
        for name in manifest.columns
    }
    return pd.DataFrame(columns)


def digest(manifest: pd.DataFrame) -> str:
    """Returns a digest (32 hex digits) of all that training sees: pixels, labels, splits, groups, order."""
    hashed = hashlib.sha256()
    for start in range(0, len(manifest), ROWS_AT_ONCE):
        some = manifest[WHAT_TRAINING_SEES].iloc[start : start + ROWS_AT_ONCE]
        for row in zip(*(some[name].tolist() for name in WHAT_TRAINING_SEES), strict=True):
            hashed.update(repr([None if value != value else value for value in row]).encode())
    return hashed.hexdigest()[:32]
