"""Pictures of what goes wrong: confusion before and after the fix, and the images that changed sides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from plateau_cause import numbers
from plateau_cause.report import style
from plateau_cause.report.changes import split
from plateau_cause.report.content import Example, ReportContent
from plateau_cause.report.picture import Sketch
from plateau_cause.report.style import COLORS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_BESIDE, MOST_BELOW = 12, 30  # classes of two matrices side by side, and one below the other
MOST_PAIRS = 12
MOST_NUMBERED = 6  # classes whose shares are written into the cells
TILES, TILE_IN = 4, 1.6  # images in a row, and the height of a row with its words
LABEL_LENGTH, NAME_LENGTH, PAIR_LENGTH = 14, 12, 22  # letters of a class: at a matrix, an image, a bar
BEFORE, AFTER = ("your recipe", COLORS["recipe"]), ("recommended", COLORS["reached"])


def listed(content: ReportContent) -> list[Sketch]:
    """Returns both pictures, each with whether there is something to show."""
    table = content.predictions
    wrong = table is not None and bool((table["before"] != table["label"]).any())
    changed = (0, 0) if table is None else tuple(len(part) for part in split(table))
    return [
        Sketch(
            wrong, "confusion", "What is taken for what", _confusion_alt(content), confusion,
            _confusion_caption(content),
        ),
        Sketch(
            len(content.changed) > 0, "changed", "Test images that changed sides",
            f"Test images from wrong to right: {changed[0]}, from right to wrong: {changed[1]}.",
            changed_images,
            "Above each image its true class; below, what your recipe saw and what the recommended one sees.",
        ),
    ]  # fmt: skip


@style.styled
def confusion(content: ReportContent) -> Figure:
    """Returns the confusion matrices of recipe and fix; of more than thirty classes the most confused pairs.

    Raises:
        ValueError: the content has no predictions.
    """
    classes = _classes(content)
    if len(classes) > MOST_BELOW:
        return _pairs(content)
    seen = _seen(content)
    beside = len(classes) <= MOST_BESIDE
    figure, grid = _matrix_axes(classes, len(seen), beside)
    for axes, (column, (title, color)) in zip(grid, seen.items(), strict=True):
        table = _predictions(content)
        _draw_matrix(axes, matrix(table, column, classes), classes)
        right = numbers.percent(float((table[column] == table["label"]).mean()))
        axes.set_title(f"{title}\n{right} right", color=color, weight="bold")
    return figure


def matrix(predictions: pd.DataFrame, column: str, classes: Sequence[str]) -> np.ndarray:
    """Returns (C, C): of each true class (row) the share seen as each class; zeros without images."""
    places = {name: place for place, name in enumerate(classes)}
    counts = np.zeros((len(classes), len(classes)))
    np.add.at(counts, (predictions["label"].map(places), predictions[column].map(places)), 1)
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))


def pairs(predictions: pd.DataFrame, most: int = MOST_PAIRS) -> pd.DataFrame:
    """Returns the most confused pairs: label, seen, and how many test images before and after."""
    counts = {
        column: predictions[predictions[column] != predictions["label"]].groupby(["label", column]).size()
        for column in ("before", "after")
    }
    table = pd_concat(counts).fillna(0).astype(int)
    order = (-table.max(axis=1)).argsort(kind="stable")
    return table.iloc[order[:most]].reset_index()


def pd_concat(counts: dict[str, pd.Series]) -> pd.DataFrame:
    """Returns the counts side by side, one row per pair that occurs in either."""
    import pandas as pd

    named = {name: series.rename_axis(["label", "seen"]) for name, series in counts.items()}
    return pd.concat(named, axis=1).sort_index()


def _predictions(content: ReportContent) -> pd.DataFrame:
    if content.predictions is None:
        raise ValueError("the report's content has no predictions")
    return content.predictions


def _classes(content: ReportContent) -> list[str]:
    table = _predictions(content)
    return sorted({str(name) for column in ("label", "before", "after") for name in table[column]})


def _seen(content: ReportContent) -> dict[str, tuple[str, str]]:
    """Returns the columns to show with title and colour: the fix only where it is another recipe."""
    return {"before": BEFORE} if content.fix == "recipe" else {"before": BEFORE, "after": AFTER}


def _matrix_axes(classes: Sequence[str], count: int, beside: bool) -> tuple[Figure, Sequence[Axes]]:
    """Returns a figure with room for so many matrices, their cells about as high as wide."""
    longest = max(len(style.shorten(name, LABEL_LENGTH)) for name in classes)
    names_in = 0.3 + 0.068 * longest
    wide = count if beside else 1
    cell_in = min(0.42, (style.WIDTH_IN - names_in - 0.15 * wide) / (wide * len(classes)))
    high = 1 if beside else count
    figure = style.figure(high * (max(cell_in, 0.115) * len(classes) + 0.45) + names_in + 0.1)
    grid = figure.subplots(high, wide, squeeze=False, sharex=True, sharey=True)
    for axes in grid[:, 0]:
        axes.set_ylabel("true class")
    for axes in grid[-1]:
        axes.set_xlabel("seen as")
    return figure, grid.ravel().tolist()


def _draw_matrix(axes: Axes, shares: np.ndarray, classes: Sequence[str]) -> None:
    from matplotlib.patches import Rectangle

    for row, column in np.argwhere(shares > 0):
        share = float(shares[row, column])
        color = COLORS["reached"] if row == column else COLORS["alarm"]
        corner = (column - 0.5, row - 0.5)
        axes.add_patch(Rectangle(corner, 1, 1, color=color, alpha=0.1 + 0.9 * share**0.7, linewidth=0))
        if len(classes) <= MOST_NUMBERED:
            axes.text(
                column, row, f"{100 * share:.0f}", ha="center", va="center", fontsize=8.5,
                path_effects=style.halo(),
            )  # fmt: skip
    names = style.shorten_all(classes, LABEL_LENGTH)
    size = 8.5 if len(classes) <= MOST_BESIDE else 8.5 - 0.08 * (len(classes) - MOST_BESIDE)
    turned = 0 if max(map(len, names)) <= 2 else 90
    axes.set_xticks(range(len(names)), names, rotation=turned, fontsize=size)
    axes.set_yticks(range(len(names)), names, fontsize=size)
    axes.set(xlim=(-0.5, len(names) - 0.5), ylim=(len(names) - 0.5, -0.5))
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(True)


def _pairs(content: ReportContent) -> Figure:
    """Returns the most confused pairs as bars: images before, and after the fix."""
    table, seen = pairs(_predictions(content)), _seen(content)
    figure = style.figure(0.44 * len(table) + 0.9)
    axes = figure.subplots()
    for place, (column, (title, color)) in enumerate(seen.items()):
        rows = np.arange(len(table)) + 0.1 + 0.24 * place
        axes.barh(rows, table[column], height=0.22, color=color, label=title)
    for row, pair in enumerate(table.itertuples()):
        label, other = style.shorten_all([str(pair.label), str(pair.seen)], PAIR_LENGTH)
        text = f"{label} seen as {other}"
        axes.text(0, row - 0.05, text, transform=axes.get_yaxis_transform(), va="bottom", fontsize=8.5)
    axes.set(yticks=[], ylim=(len(table) - 0.4, -0.7), xlabel="test images")
    style.whole_numbers(axes.xaxis)
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _confusion_caption(content: ReportContent) -> str:
    if content.predictions is not None and len(_classes(content)) > MOST_BELOW:
        return f"The {MOST_PAIRS} pairs that are confused most often, before and after."
    return "Of each true class, the share seen as each class. Green: right, orange: wrong, deeper: more."


def _confusion_alt(content: ReportContent) -> str:
    if content.predictions is None:
        return ""
    worst = pairs(content.predictions, 3)
    named = [
        f"{pair.label} seen as {pair.seen} ({pair.before} before, {pair.after} after)"
        for pair in worst.itertuples()
    ]
    return "Confusion between classes, in test images. " + "; ".join(named) + "."


@style.styled
def changed_images(content: ReportContent) -> Figure:
    """Returns the images that went from wrong to right, below them those from right to wrong."""
    parts = [part for part in _parts(content) if part[2]]
    rows = [-(-len(shown) // TILES) for *_, shown in parts]
    heights_in = [TILE_IN * count + 0.25 for count in rows]
    figure = style.figure(sum(heights_in))
    panels = figure.subfigures(len(parts), 1, squeeze=False, height_ratios=heights_in)[:, 0]
    for panel, count, (title, color, shown) in zip(panels, rows, parts, strict=True):
        panel.suptitle(title, color=color, weight="bold", fontsize=9, x=0.01, ha="left")
        places = panel.subplots(count, TILES, squeeze=False).ravel()
        for place in places:
            place.set_axis_off()
        for place, example in zip(places, shown, strict=False):
            _show(place, example)
    return figure


def _parts(content: ReportContent) -> list[tuple[str, str, list[Example]]]:
    """Returns title, colour and images of what became right, and of what became wrong."""
    right, wrong = (len(part) for part in split(_predictions(content)))
    return [
        (f"wrong \N{RIGHTWARDS ARROW} right: {right}", COLORS["reached"],
         [example for example in content.changed if example.after == example.label]),
        (f"right \N{RIGHTWARDS ARROW} wrong: {wrong}", COLORS["alarm"],
         [example for example in content.changed if example.after != example.label]),
    ]  # fmt: skip


def _show(axes: Axes, example: Example) -> None:
    axes.set_axis_on()
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.imshow(example.image, interpolation="none")
    axes.set_box_aspect(1)
    axes.set_aspect("equal", adjustable="datalim")  # upright and wide images under titles of one height
    axes.set_title(style.shorten(example.label, NAME_LENGTH), weight="bold", fontsize=8.5)
    before, after = (style.shorten(name, NAME_LENGTH) for name in (example.before, example.after))
    gap = " " if len(before + after) < NAME_LENGTH else "\n"
    axes.set_xlabel(f"{before}{gap}\N{RIGHTWARDS ARROW} {after}", fontsize=8.5, color=COLORS["ink"])
