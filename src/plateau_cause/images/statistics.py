"""What is in the data set: class balance, sizes, colours, brightness, contrast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from plateau_cause.images import blocks
from plateau_cause.images import duplicates as dup
from plateau_cause.images.blocks import slices
from plateau_cause.images.duplicates import Duplicates
from plateau_cause.images.manifest import SPLITS
from plateau_cause.images.measure import Measurements, measure
from plateau_cause.images.store import Dataset

LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601, as in Pillow's "L"
GRAY_LEVELS = (
    2.0  # root mean square difference of two channels below which a picture is gray: JPEG adds about 1
)
QUANTILES = {"min": 0.0, "median": 0.5, "max": 1.0}


@dataclass(frozen=True)
class Statistics:
    """What stage dataset_stats finds.

    Attributes:
        images: one row per image: image_id, split, label, width, height (px), aspect (width / height),
            brightness, contrast (mean and standard deviation of the luma, 0..255), is_gray, picture (the
            same number for copies and near copies).
        counts: classes x splits, numbers of images.
        color_mean, color_std: (3,) of red, green, blue over the training images, 0..1, every image alike.
        histogram: (3, 256), pixels per channel and value.
        duplicates: exact and near duplicates.
        pairs, leaked, conflicts: tables, see `data.duplicates`.
    """

    images: pd.DataFrame
    counts: pd.DataFrame
    color_mean: np.ndarray
    color_std: np.ndarray
    histogram: np.ndarray
    duplicates: Duplicates
    pairs: pd.DataFrame
    leaked: pd.DataFrame
    conflicts: pd.DataFrame


def describe(dataset: Dataset) -> Statistics:
    """Returns the statistics of a prepared data set."""
    manifest, measured = dataset.manifest, measure(dataset.store)
    found = dup.find_duplicates(manifest["sha256"], measured)
    mean, std = color_moments(measured, dataset.indices("train"))
    return Statistics(
        images=image_table(manifest, measured).assign(picture=found.near),
        counts=class_counts(manifest, dataset.classes),
        color_mean=mean,
        color_std=std,
        histogram=measured.histogram,
        duplicates=found,
        pairs=dup.pair_table(manifest, found),
        leaked=dup.leakage(manifest, found),
        conflicts=dup.conflicts(manifest, found),
    )


def class_counts(manifest: pd.DataFrame, classes: tuple[str, ...]) -> pd.DataFrame:
    """Returns the number of images of each class (rows, sorted) in each split (columns)."""
    counts = pd.DataFrame()
    for number, some in enumerate(slices(len(manifest))):
        part = manifest.iloc[some]
        found = pd.crosstab(part["label"], part["split"])
        found = found.reindex(index=list(classes), columns=list(SPLITS), fill_value=0)
        counts = counts + found if number else found
    return counts


def imbalance(counts: pd.Series) -> float:
    """Returns the largest class over the smallest one that has images at all; nan where none has."""
    there = counts[counts > 0]
    return float(there.max() / there.min()) if len(there) else float("nan")


def image_table(manifest: pd.DataFrame, measured: Measurements) -> pd.DataFrame:
    """Returns one row per image: its size, brightness, contrast, and whether it is gray."""
    table = manifest[["image_id", "split", "label", "width", "height"]].reset_index(drop=True)
    count = len(table)
    brightness, contrast, gray = np.empty(count), np.empty(count), np.empty(count, bool)
    for some in slices(count):
        moments = measured.moments[some]
        brightness[some] = measured.means[some] @ LUMA  # (n,)
        # The luma is linear in the channels: its variance follows from their second moments.
        variance = np.einsum("i,nij,j->n", LUMA, moments, LUMA) - brightness[some] ** 2
        contrast[some], gray[some] = np.sqrt(np.maximum(variance, 0.0)), is_gray(moments)
    aspect = table["width"] / table["height"]
    return table.assign(aspect=aspect, brightness=brightness, contrast=contrast, is_gray=gray)


def is_gray(moments: np.ndarray) -> np.ndarray:
    """Returns whether the channels (N, 3, 3 moments) agree up to compression noise, (N,) bool."""
    squares = np.einsum("nii->ni", moments)
    between = [squares[:, a] + squares[:, b] - 2 * moments[:, a, b] for a, b in ((0, 1), (1, 2), (0, 2))]
    return np.asarray(np.max(between, axis=0) <= GRAY_LEVELS**2)


def color_moments(measured: Measurements, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns mean and standard deviation (3,), (3,) of these images' pixels, 0..1, every image alike."""
    mean, squares = _mean(measured.means, rows), _mean(np.einsum("nii->ni", measured.moments), rows)
    return mean / 255.0, np.sqrt(np.maximum(squares - mean**2, 0.0)) / 255.0


def _mean(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Returns the mean (C,) of these rows of values (N, C), some of them at a time."""
    if len(rows) <= blocks.ROWS:
        return np.asarray(values[rows].mean(axis=0))
    parts = [values[rows[some]].sum(axis=0) for some in slices(len(rows))]
    return np.asarray(np.sum(parts, axis=0) / len(rows))


def metrics(found: Statistics) -> dict[str, Any]:
    """Returns the numbers worth comparing between data sets, nested, of plain types."""
    return {
        "images": len(found.images),
        "classes": len(found.counts),
        "gray_frac": float(found.images["is_gray"].mean()),
        **{split: _split_metrics(found, split) for split in SPLITS},
        "size": {
            name: {word: float(found.images[name].quantile(q)) for word, q in QUANTILES.items()}
            for name in ("width", "height", "aspect")
        },
        "color": {
            f"{channel}_{word}": float(value)
            for word, values in (("mean", found.color_mean), ("std", found.color_std))
            for channel, value in zip(("red", "green", "blue"), values, strict=True)
        },
        "duplicates": {**_kinds(found.pairs), "search_complete": found.duplicates.is_complete},
        "leaked": {
            split: _kinds(found.leaked[found.leaked["split"] == split])
            for split in SPLITS
            if split != "train"
        },
        "conflicting_labels": _kinds(found.conflicts),
    }


def _split_metrics(found: Statistics, split: str) -> dict[str, Any]:
    counts, own = found.counts[split], (found.images["split"] == split).to_numpy(bool)
    images = found.images.loc[own, ["is_gray", "brightness", "contrast"]]
    return {
        "images": len(images),
        "smallest_class": int(counts.min()),
        "largest_class": int(counts.max()),
        "imbalance": imbalance(counts),
        "gray_frac": float(images["is_gray"].mean()),
        "brightness": float(images["brightness"].mean()),
        "contrast": float(images["contrast"].mean()),
    }


def _kinds(table: pd.DataFrame) -> dict[str, int]:
    return {kind: int((table["kind"] == kind).sum()) for kind in ("exact", "near")}
