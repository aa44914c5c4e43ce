"""One image of a source, before it is decoded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Item:
    """One image of a source.

    Attributes:
        image_id: unique and stable, such as the path below the data folder.
        source: where it came from, for people.
        label: class name.
        split, group: as given, or None.
        load: returns the file's bytes, or pixels (h, w, 3) uint8 where the source has no files.
        refused: why the item must not be read, or None.
    """

    image_id: str
    source: str
    label: str
    load: Callable[[], bytes | np.ndarray]
    split: str | None = None
    group: str | None = None
    refused: str | None = None
