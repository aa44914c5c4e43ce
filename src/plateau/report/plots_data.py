"""Pictures of the data set; every function returns a matplotlib Figure and writes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from plateau.data.splits import SPLITS
from plateau.data.statistics import DatasetStatistics
from plateau.data.store import Dataset
from plateau.report import style
from plateau.report.style import CATEGORIES, COLORS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_CLASS_BARS = 30  # beyond it names cannot be read
MOST_SAMPLE_CLASSES = 20
SAMPLES_PER_CLASS = 6
MOST_PAIRS = 6
HATCHES = ("", "////", "....")  # splits stay apart in black and white


def dataset_figures(dataset: Dataset, found: DatasetStatistics) -> dict[str, Figure]:
    """Returns every picture of a data set by the name of its file; duplicates only where there are any."""
    figures = {
        "class_counts": class_counts(found.class_counts),
        "sizes": sizes(found.images),
        "brightness": brightness(found.images),
        "samples": samples(dataset),
    }
    return figures | ({"duplicates": duplicates(dataset, found.duplicates)} if len(found.duplicates) else {})


@style.styled
def class_counts(counts: pd.DataFrame) -> Figure:
    """Returns the images of each class and split: bars, or for many classes a curve by size."""
    from matplotlib.ticker import MaxNLocator

    is_long = len(counts) > MOST_CLASS_BARS
    figure = style.figure(3.2 if is_long else 0.9 + 0.22 * len(counts))
    axes = figure.subplots()
    if is_long:
        _count_curves(axes, counts)
    else:
        _count_bars(axes, counts)
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    figure.legend(loc="outside lower center", ncols=len(SPLITS))
    return figure


def _count_bars(axes: Axes, counts: pd.DataFrame) -> None:
    places, left = np.arange(len(counts)), np.zeros(len(counts))
    for split, color, hatch in zip(SPLITS, CATEGORIES, HATCHES, strict=False):
        width = counts[split].to_numpy()
        axes.barh(places, width, left=left, color=color, hatch=hatch, edgecolor=COLORS["page"], label=split)
        left += width
    axes.set_yticks(places, [style.shorten(name) for name in counts["label"]])
    axes.set(xlabel="images", ylim=(len(counts) - 0.4, -0.6))
    axes.grid(visible=False, axis="y")


def _count_curves(axes: Axes, counts: pd.DataFrame) -> None:
    for split, color in zip(SPLITS, CATEGORIES, strict=False):
        values = np.sort(counts[split].to_numpy())[::-1]
        axes.step(np.arange(len(values)), values, where="mid", color=color, label=split)
    axes.set(xlabel="classes, the largest first", ylabel="images", ylim=(0, None))


@style.styled
def sizes(images: pd.DataFrame) -> Figure:
    """Returns width against height of the original images, larger points where many share a size."""
    figure = style.figure(3.4)
    axes = figure.subplots()
    found = images.groupby(["width", "height"]).size()
    width, height = (found.index.get_level_values(key).to_numpy() for key in ("width", "height"))
    area = 12 + 180 * found.to_numpy() / found.max()
    axes.scatter(width, height, s=area, color=COLORS["fix"], alpha=0.5, linewidths=0)
    largest = float(max(width.max(), height.max()))
    axes.plot([0, largest], [0, largest], color=COLORS["faint"], linewidth=1, zorder=0)
    axes.set(xlabel="width, px", ylabel="height, px", xlim=(0, 1.08 * largest), ylim=(0, 1.08 * largest))
    axes.set_title("all images have one size" if len(found) == 1 else f"{len(found)} different sizes")
    return figure


@style.styled
def brightness(images: pd.DataFrame) -> Figure:
    """Returns the distributions of brightness and contrast, 0..255, one line per split."""
    figure = style.figure(3.0)
    for axes, key in zip(figure.subplots(1, 2), ("brightness", "contrast"), strict=True):
        edges = np.linspace(0, 255 if key == "brightness" else 128, 33)
        for split, color, line in zip(SPLITS, CATEGORIES, ("-", "--", ":"), strict=False):
            values = images.loc[images["split"] == split, key]
            share = np.histogram(values, edges)[0] / max(1, len(values))
            name = split if key == "brightness" else None
            axes.stairs(share, edges, color=color, linestyle=line, linewidth=1.4, label=name)
        style.percent_axis(axes.yaxis)
        axes.set(xlabel=f"{key}, 0..255" if key == "brightness" else key, ylim=(0, None))
    figure.legend(loc="outside lower center", ncols=len(SPLITS))
    return figure


@style.styled
def samples(dataset: Dataset) -> Figure:
    """Returns the first training images of each class, one row per class, of 20 classes at most."""
    shown = min(len(dataset.classes), MOST_SAMPLE_CLASSES)
    figure = style.figure(0.5 + 0.52 * shown)
    grid = figure.subplots(shown, SAMPLES_PER_CLASS, squeeze=False)
    train = dataset.indices("train")
    for target, row in enumerate(grid):
        rows = train[dataset.targets[train] == target]
        for column, axes in enumerate(row):
            _show(axes, dataset, int(rows[column]) if column < len(rows) else None)
        name = style.shorten(dataset.classes[target], 14)
        row[0].set_ylabel(name, rotation=0, ha="right", va="center")
    if shown < len(dataset.classes):
        figure.suptitle(f"the first {shown} of {len(dataset.classes)} classes", fontsize=9)
    return figure


@style.styled
def duplicates(dataset: Dataset, pairs: pd.DataFrame) -> Figure:
    """Returns pairs of duplicates side by side: conflicting labels first, then those across splits."""
    conflict, leak = pairs["label_a"] != pairs["label_b"], pairs["split_a"] != pairs["split_b"]
    order = np.lexsort((np.arange(len(pairs)), ~leak, ~conflict))[:MOST_PAIRS]
    figure = style.figure(0.4 + 1.1 * len(order))
    grid = figure.subplots(len(order), 2, squeeze=False)
    for row, (_, pair) in zip(grid, pairs.iloc[order].iterrows(), strict=True):
        for axes, side in zip(row, "ab", strict=True):
            _show(axes, dataset, int(pair[f"row_{side}"]))
            axes.set_title(
                f"{style.shorten(pair[f'label_{side}'], 16)} ({pair[f'split_{side}']})", fontsize=8
            )
        row[0].set_ylabel(pair["kind"], rotation=0, ha="right", va="center")
    figure.suptitle(f"{len(order)} of {len(pairs)} pairs of duplicates", fontsize=9)
    return figure


def _show(axes: Axes, dataset: Dataset, row: int | None) -> None:
    """Draws an image without a frame; None leaves the place empty."""
    if row is not None:
        axes.imshow(dataset.store.image(row), interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
