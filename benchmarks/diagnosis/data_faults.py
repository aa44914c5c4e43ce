"""Faults of the data, planted in a set's table; images are never touched. Rows in, rows out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

USER_SPLITS = ("train", "val")  # what a user labels and collects; the test split stays clean, but for overlap


def table(pool: pd.DataFrame, name: str | None) -> pd.DataFrame:
    """Returns a case's table of images: the pool without its extra images, with these faults.

    Sorted by class, as a folder of class folders is read.

    Args:
        pool: image, label, split (with "extra").
        name: keys of FAULTS joined by "+", in the order in which they act; "double" keeps the extra images.
    """
    names = name.split("+") if name else []
    chosen = pool if "double" in names else pool[pool["split"] != "extra"]
    rows = chosen.assign(split=chosen["split"].replace("extra", "train"))
    rows = rows.sort_values(["label", "image"], ignore_index=True)
    for fault in names:
        rows = rows if fault == "double" else FAULTS[fault](rows, np.random.default_rng(0))
    return rows


def noise(rows: pd.DataFrame, random: np.random.Generator, share: float = 0.4) -> pd.DataFrame:
    """Returns the rows with a share of the user's labels replaced by another class at random."""
    classes = sorted(rows["label"].unique())
    wrong = rows["split"].isin(USER_SPLITS).to_numpy() & (random.random(len(rows)) < share)
    steps = random.integers(1, len(classes), len(rows))
    numbers = rows["label"].map(classes.index).to_numpy()
    shifted = np.asarray(classes, object)[(numbers + steps) % len(classes)]
    return rows.assign(label=np.where(wrong, shifted, rows["label"]))


def few(rows: pd.DataFrame, random: np.random.Generator, count: int = 36) -> pd.DataFrame:
    """Returns the rows with only this many training images, evenly from the classes."""
    return _keep(rows, {label: count // rows["label"].nunique() for label in rows["label"].unique()})


def imbalance(rows: pd.DataFrame, random: np.random.Generator, fewest: int = 3) -> pd.DataFrame:
    """Returns the rows with only a few training images in every other class."""
    classes = sorted(rows["label"].unique())
    return _keep(rows, {label: fewest if i % 2 else len(rows) for i, label in enumerate(classes)})


def balanced(rows: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Returns as many training images as `imbalance` leaves, evenly from the classes: its healthy twin."""
    left = int((imbalance(rows, random)["split"] == "train").sum())
    return few(rows, random, left)


def overlap(rows: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Returns the rows with the images of two classes named either at random, in every split."""
    pair = sorted(rows["label"].unique())[:2]
    return rows.assign(
        label=np.where(rows["label"].isin(pair), random.choice(pair, len(rows)), rows["label"])
    )


def mixed(rows: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Returns the rows in random order."""
    return rows.sample(frac=1.0, random_state=0, ignore_index=True)


def _keep(rows: pd.DataFrame, most: dict[str, int]) -> pd.DataFrame:
    """Returns the rows with at most so many training images per class."""
    number = rows.groupby(["split", "label"]).cumcount()
    kept = (rows["split"] != "train") | (number < rows["label"].map(most))
    return rows[kept].reset_index(drop=True)


FAULTS: dict[str, Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]] = {
    "noise": noise,
    "few": few,
    "imbalance": imbalance,
    "balanced": balanced,
    "overlap": overlap,
    "mixed": mixed,
}
