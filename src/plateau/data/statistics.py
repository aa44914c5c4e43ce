"""What a data set consists of: classes, sizes, colours, duplicates, leakage between splits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from plateau.data import appearance, duplicates
from plateau.data.appearance import Appearance
from plateau.data.splits import SPLITS
from plateau.data.store import Dataset

QUANTILES = (0.05, 0.5, 0.95)


@dataclass(frozen=True)
class DatasetStatistics:
    """All that stage dataset_stats finds.

    Attributes:
        metrics: flat; names end in their unit where there is one.
        images: one row per image in the order of the manifest: image_id, split, label, sizes, colours.
        class_counts: one row per class: label, train, val, test, total.
        duplicates, leakage, conflicts: pairs of images, see `duplicates.find`.
        crossing_groups: groups that lie in more than one split.
    """

    metrics: dict[str, float]
    images: pd.DataFrame
    class_counts: pd.DataFrame
    duplicates: pd.DataFrame
    leakage: pd.DataFrame
    conflicts: pd.DataFrame
    crossing_groups: pd.DataFrame


def describe(dataset: Dataset) -> DatasetStatistics:
    """Returns the statistics of a prepared data set; every image is read once."""
    looks = appearance.measure(dataset.store)
    pairs = duplicates.find(dataset, looks)
    leaks, conflicts = duplicates.leakage(pairs), duplicates.conflicts(pairs)
    groups = duplicates.crossing_groups(dataset.manifest)
    images, counts = _images(dataset.manifest, looks), class_counts(dataset)
    metrics = {
        **_class_metrics(counts),
        **_size_metrics(images),
        **_color_metrics(images),
        **_duplicate_metrics(dataset.manifest, pairs, leaks, conflicts),
        "groups_across_splits": len(groups),
    }
    return DatasetStatistics(metrics, images, counts, pairs, leaks, conflicts, groups)


def class_counts(dataset: Dataset) -> pd.DataFrame:
    """Returns the images of each class in each split: columns label, train, val, test, total."""
    columns = {
        split: np.bincount(dataset.targets[dataset.indices(split)], minlength=len(dataset.classes))
        for split in SPLITS
    }
    return pd.DataFrame(
        {"label": dataset.classes, **columns, "total": np.sum(list(columns.values()), axis=0)}
    )


def _images(manifest: pd.DataFrame, looks: Appearance) -> pd.DataFrame:
    table = manifest[["image_id", "split", "label", "width", "height"]].copy()
    for channel, name in enumerate(("red", "green", "blue")):
        table[f"mean_{name}"] = looks.mean[:, channel]
        table[f"std_{name}"] = looks.std[:, channel]
    pixels = manifest["stored_width"] * manifest["stored_height"]
    return table.assign(
        stored_pixels=pixels, brightness=looks.brightness, contrast=looks.contrast, is_gray=looks.is_gray
    )


def _class_metrics(counts: pd.DataFrame) -> dict[str, float]:
    """Returns image counts per split, and how unequal classes are in training: largest over smallest."""
    train = counts["train"]
    metrics: dict[str, float] = {"images": int(counts["total"].sum()), "classes": len(counts)}
    for split in SPLITS:
        metrics[f"images_{split}"] = int(counts[split].sum())
        metrics[f"classes_missing_{split}"] = int((counts[split] == 0).sum())
        metrics[f"majority_frac_{split}"] = float(counts[split].max() / max(1, counts[split].sum()))
    smallest = int(train.min())
    return {
        **metrics,
        "smallest_class_train": smallest,
        "largest_class_train": int(train.max()),
        "imbalance_ratio_train": float(train.max() / max(1, smallest)),
    }


def _size_metrics(images: pd.DataFrame) -> dict[str, float]:
    aspect = images["width"] / images["height"]
    columns = {"width_px": images["width"], "height_px": images["height"], "aspect": aspect}
    metrics = {
        f"{name}_p{100 * share:02.0f}": float(values.quantile(share))
        for name, values in columns.items()
        for share in QUANTILES
    }
    sizes = images[["width", "height"]].drop_duplicates()
    return {**metrics, "different_sizes": len(sizes), "square_frac": float((aspect == 1).mean())}


def _color_metrics(images: pd.DataFrame) -> dict[str, float]:
    """Returns colours of the training pixels, unit scale, and brightness per split."""
    train = images[images["split"] == "train"]
    weights = train["stored_pixels"] / train["stored_pixels"].sum()
    metrics: dict[str, float] = {}
    for name in ("red", "green", "blue"):
        mean = float((weights * train[f"mean_{name}"]).sum())
        square = float((weights * (train[f"std_{name}"] ** 2 + train[f"mean_{name}"] ** 2)).sum())
        metrics[f"mean_{name}_train"] = mean / 255
        metrics[f"std_{name}_train"] = float(np.sqrt(max(0.0, square - mean**2))) / 255
    for split in SPLITS:
        part = images[images["split"] == split]
        for key in ("brightness", "contrast"):
            metrics[f"{key}_{split}"] = float(part[key].mean()) / 255
        metrics[f"gray_frac_{split}"] = float(part["is_gray"].mean())
    return metrics


def _duplicate_metrics(
    manifest: pd.DataFrame, pairs: pd.DataFrame, leaks: pd.DataFrame, conflicts: pd.DataFrame
) -> dict[str, float]:
    """Returns counts of pairs, and the share of held-out images that an earlier split holds, too."""
    metrics: dict[str, float] = {
        "duplicates_exact": int((pairs["kind"] == "exact").sum()),
        "duplicates_near": int((pairs["kind"] == "near").sum()),
        "label_conflicts": len(conflicts),
        "leaking_pairs": len(leaks),
    }
    for split in ("val", "test"):
        leaked = leaks.loc[leaks["split_b"] == split, "row_b"].nunique()
        metrics[f"leaked_frac_{split}"] = leaked / max(1, int((manifest["split"] == split).sum()))
    return metrics
