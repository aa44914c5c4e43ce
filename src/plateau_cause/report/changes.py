"""Which test images tell the plateau from the fix: one of the two gets them right, the other wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from plateau_cause.images.store import Dataset
from plateau_cause.report.content import Example

if TYPE_CHECKING:
    import pandas as pd

MOST_SHOWN = 8  # of each kind
LONGEST_PX = 64  # side of a shown image: a page of sixteen stays below 200 kB


def split(predictions: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns the rows that went from wrong to right, and those that went from right to wrong."""
    was = predictions["before"] == predictions["label"]
    now = predictions["after"] == predictions["label"]
    return predictions[~was & now], predictions[was & ~now]


def choose(changed: pd.DataFrame, most: int = MOST_SHOWN) -> pd.DataFrame:
    """Returns a few rows: one of each confusion, the most frequent confusion first, then a second of each."""
    kinds = changed.groupby(["label", "before", "after"], sort=True)
    ranked = changed.assign(turn=kinds.cumcount(), count=kinds["image_id"].transform("size"))
    order = ranked.sort_values(
        ["turn", "count", "label", "before", "after"],
        ascending=[True, False, True, True, True],
        kind="stable",
    )
    return changed.loc[order.index[:most]]


def examples(dataset: Dataset, predictions: pd.DataFrame) -> list[Example]:
    """Returns the chosen images of both kinds, small, those that became right first."""
    places = {name: row for row, name in enumerate(dataset.manifest["image_id"])}
    shown = [row for part in split(predictions) for row in choose(part).itertuples()]
    return [
        Example(
            thumbnail(dataset.store.image(places[row.image_id])),
            str(row.label),
            str(row.before),
            str(row.after),
        )
        for row in shown
    ]


def thumbnail(image: np.ndarray, longest_px: int = LONGEST_PX) -> np.ndarray:
    """Returns the image (H, W, 3) uint8, made smaller where a side is longer than that."""
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(image))
    picture.thumbnail((longest_px, longest_px))
    return np.asarray(picture)
