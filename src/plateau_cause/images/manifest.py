"""The manifest: one row per image, and what follows from it (classes, targets, digest)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
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


def digest(manifest: pd.DataFrame) -> str:
    """Returns a digest (32 hex digits) of all that training sees: pixels, labels, splits, groups, order."""
    hashed = hashlib.sha256()
    for start in range(0, len(manifest), ROWS_AT_ONCE):
        some = manifest[WHAT_TRAINING_SEES].iloc[start : start + ROWS_AT_ONCE]
        for row in zip(*(some[name].tolist() for name in WHAT_TRAINING_SEES), strict=True):
            hashed.update(repr([None if value != value else value for value in row]).encode())
    return hashed.hexdigest()[:32]
