"""Pictures of the data set: class balance, sizes, colours, samples, duplicates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from plateau_cause.images.manifest import SPLITS
from plateau_cause.images.statistics import Statistics
from plateau_cause.images.store import Dataset
from plateau_cause.report import style
from plateau_cause.report.style import COLORS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SPLIT_COLORS = {"train": COLORS["fix"], "val": COLORS["more"], "test": COLORS["reached"]}
CHANNELS = {"red": "#c4301b", "green": "#0b7a3c", "blue": "#0a55b0"}
MOST_BARS = 30  # classes that can be named in a bar chart
MOST_POINTS = 4000
GRID_CLASSES, GRID_COLUMNS = 20, 8
MOST_PAIRS = 6


def figures(dataset: Dataset, found: Statistics) -> dict[str, Figure]:
    """Returns all pictures of a data set by name; that of duplicates only where there are any."""
    drawn = {
        "class_counts": class_counts(found.counts),
        "sizes": sizes(found.images),
        "brightness_contrast": brightness_contrast(found.images),
        "color_histogram": color_histogram(found.histogram),
        "samples": sample_grid(dataset),
    }
    if len(found.pairs):
        drawn["duplicates"] = duplicate_examples(dataset, found)
    return drawn


@style.styled
def class_counts(counts: pd.DataFrame) -> Figure:
    """Returns images per class and split: bars, the largest class first, or a curve where there are many."""
    ordered = counts.loc[counts.sum(axis=1).sort_values(ascending=False, kind="stable").index]
    if len(ordered) > MOST_BARS:
        return _count_curve(ordered)
    figure = style.figure(0.9 + 0.24 * len(ordered))
    axes = figure.subplots()
    left = np.zeros(len(ordered))
    for split in SPLITS:
        values = ordered[split].to_numpy()
        axes.barh(range(len(ordered)), values, left=left, height=0.7, color=SPLIT_COLORS[split], label=split)
        left += values
    axes.set_yticks(range(len(ordered)), [style.shorten(str(name)) for name in ordered.index])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set(xlabel="images")
    figure.legend(loc="outside upper center", ncols=3)
    return figure


def _count_curve(ordered: pd.DataFrame) -> Figure:
    figure = style.figure(2.6)
    axes = figure.subplots()
    for split in SPLITS:
        values = np.sort(ordered[split].to_numpy())[::-1]
        axes.step(range(1, len(values) + 1), values, where="mid", color=SPLIT_COLORS[split], label=split)
    axes.set(xlabel="classes, largest first", ylabel="images", ylim=(0, None))
    figure.legend(loc="outside upper center", ncols=3)
    return figure


@style.styled
def sizes(images: pd.DataFrame) -> Figure:
    """Returns the distributions of the longer side (pixels) and of the aspect ratio, per split."""
    figure = style.figure(2.4)
    left, right = figure.subplots(1, 2)
    longer = images[["width", "height"]].max(axis=1)
    _histogram(left, longer, images["split"], "longer side, px")
    _histogram(right, images["aspect"], images["split"], "width / height")
    left.set_ylabel("share of the split")
    style.percent_axis(left.yaxis)
    style.percent_axis(right.yaxis)
    _split_legend(figure, images["split"])
    return figure


def _histogram(axes: Axes, values: pd.Series, splits: pd.Series, label: str) -> None:
    """Draws one outline per split, in shares: splits differ in size."""
    low, high = float(values.min()), float(values.max())
    pad = 0.0 if high > low else 0.5 * max(abs(low), 1.0)  # all alike: one bar in the middle
    bins = np.linspace(low - pad, high + pad, 25)
    for split in SPLITS:
        some = values[splits == split]
        if len(some):
            weights = np.full(len(some), 1 / len(some))
            axes.hist(
                some,
                bins.tolist(),
                weights=weights,
                histtype="step",
                color=SPLIT_COLORS[split],
                linewidth=1.4,
            )
    axes.set(xlabel=label)


def _split_legend(figure: Figure, splits: pd.Series) -> None:
    from matplotlib.lines import Line2D

    there = set(splits)
    lines = [Line2D([], [], color=SPLIT_COLORS[name], label=name) for name in SPLITS if name in there]
    figure.legend(handles=lines, loc="outside upper center", ncols=3)


@style.styled
def brightness_contrast(images: pd.DataFrame) -> Figure:
    """Returns each image by its brightness and contrast (0..255), coloured by split."""
    shown = images[["split", "brightness", "contrast"]].sample(min(len(images), MOST_POINTS), random_state=0)
    figure = style.figure(3.0)
    axes = figure.subplots()
    colors = shown["split"].map(SPLIT_COLORS).tolist()
    axes.scatter(
        shown["brightness"], shown["contrast"], s=8, c=colors, alpha=0.6, linewidths=0, rasterized=True
    )
    axes.set(xlabel="brightness (mean luma, 0..255)", ylabel="contrast (standard deviation)")
    _split_legend(figure, images["split"])
    return figure


@style.styled
def color_histogram(histogram: np.ndarray) -> Figure:
    """Returns the share of pixels per value, one curve per channel, on a logarithmic axis."""
    figure = style.figure(2.4)
    axes = figure.subplots()
    shares = histogram / histogram.sum(axis=1, keepdims=True)  # (3, 256)
    for index, (name, color) in enumerate(CHANNELS.items()):
        # Gray: all three seen
        axes.plot(shares[index], color=color, linewidth=(3.2, 2.0, 0.9)[index], label=name)
    axes.set_yscale("log")
    axes.set(xlabel="pixel value", ylabel="share of the pixels", xlim=(0, 255))
    figure.legend(loc="outside upper center", ncols=3)
    return figure


@style.styled
def sample_grid(dataset: Dataset, seed: int = 0) -> Figure:
    """Returns random training images, one row per class; of many classes the first twenty."""
    classes = dataset.classes[:GRID_CLASSES]
    figure = style.figure(0.52 * len(classes) + 0.1)
    grid = figure.subplots(len(classes), GRID_COLUMNS, squeeze=False)
    train = dataset.indices("train")
    targets = dataset.targets[train]
    rng = np.random.default_rng(seed)
    for target, (name, axes) in enumerate(zip(classes, grid, strict=True)):
        chosen = rng.permutation(train[targets == target])[:GRID_COLUMNS]
        for place, row in zip(axes, [*chosen, *[None] * (GRID_COLUMNS - len(chosen))], strict=True):
            _show(place, None if row is None else dataset.store.image(int(row)))
        axes[0].set_ylabel(style.shorten(name, 14), rotation=0, ha="right", va="center", color=COLORS["ink"])
    return figure


def _show(axes: Axes, image: np.ndarray | None) -> None:
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.grid(visible=False)
    if image is not None:
        smooth = "nearest" if max(image.shape) < 32 else "antialiased"
        axes.imshow(image, interpolation=smooth)


@style.styled
def duplicate_examples(dataset: Dataset, found: Statistics) -> Figure:
    """Returns a few pairs of duplicates side by side: conflicting labels first, then those across splits."""
    table = found.pairs
    is_across = table["split_first"] != table["split_second"]
    urgency = 2 * table["is_conflict"].to_numpy(int) + is_across.to_numpy(int)
    rows = np.argsort(-urgency, kind="stable")[:MOST_PAIRS]
    figure = style.figure(1.05 * len(rows) + 0.1)
    grid = figure.subplots(len(rows), 2, squeeze=False)
    for axes, row in zip(grid, rows, strict=True):
        _show_pair(axes, dataset, found, int(row))
    return figure


def _show_pair(axes: Sequence[Axes], dataset: Dataset, found: Statistics, row: int) -> None:
    pair, words = found.duplicates.pairs.iloc[row], found.pairs.iloc[row]
    for place, side in zip(axes, ("first", "second"), strict=True):
        _show(place, dataset.store.image(int(pair[side])))
        text = f"{words[f'split_{side}']}: {style.shorten(str(words[f'label_{side}']), 18)}"
        place.set_title(text, color=COLORS["alarm"] if words["is_conflict"] else COLORS["ink"], fontsize=8)
    axes[0].set_ylabel(str(pair["kind"]), rotation=0, ha="right", va="center")
