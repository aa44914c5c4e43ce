"""Pictures of how the arms learned: their curves side by side, gradients by depth, accuracy by images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from plateau_cause import numbers
from plateau_cause.report import style
from plateau_cause.report.content import ReportContent
from plateau_cause.report.picture import Sketch
from plateau_cause.report.style import COLORS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDE = 30  # largest over smallest loss, beyond which a linear axis would hide the small ones
ROWS = {"gradient_norm": "gradient norm", "update_ratio": "update ratio"}
USUAL_RATIO = 1e-3  # of a step to the weights, in training that goes well
MOST_EPOCHS, LATE = 4, 0.9  # lines per panel, and the share of the epochs up to which they reach
COLUMNS = {"recipe": ("your recipe", COLORS["recipe"]), "reference": ("reference", COLORS["reached"])}


def listed(content: ReportContent) -> list[Sketch]:
    """Returns the pictures of training, each with whether there is something to show."""
    return [
        Sketch(
            len(_columns(content)) > 0, "fit", "Training beside validation", _fit_alt(content), fit,
            "Solid: training, dashed: validation. A wide band between them: it learns by heart.",
        ),
        Sketch(
            any(_flows(table) for table in content.signals.values()),
            "gradient_flow", "Gradient flow by depth",
            "Gradient norm and update ratio of each block, input to output, for recipe and reference.",
            gradient_flow,
            "Faint: early epochs, dark: late ones. Falling to the left: little reaches the first layers.",
        ),
    ]  # fmt: skip


def learning_curve_sketch(content: ReportContent) -> Sketch:
    """Returns the picture of accuracy over training images."""
    tuned = (
        "; filled: the best recipe, trained on half and on all of them" if content.tuned is not None else ""
    )
    return Sketch(
        content.learning_curve is not None, "learning_curve", "What more data would bring",
        "Test accuracy by number of training images, measured and extrapolated.", learning_curve,
        f"A probe on frozen features{tuned}. Steep at the right end: more images help.",
    )  # fmt: skip


@style.styled
def fit(content: ReportContent) -> Figure:
    """Returns accuracy (top) and loss (below) by epoch, recipe and fix side by side."""
    columns = _columns(content)
    figure = style.figure(3.5)
    grid = figure.subplots(2, len(columns), squeeze=False, sharex="col", sharey="row")
    for (title, color, table), (top, below) in zip(columns, grid.T, strict=True):
        top.set_title(title, color=color, weight="bold")
        for axes, quantity in ((top, "accuracy"), (below, "loss")):
            _draw_fit(axes, table, quantity, color)
        below.set_xlabel("epoch")
        style.whole_numbers(below.xaxis)
    grid[0, 0].set(ylabel="accuracy", ylim=(0, 1.02))
    grid[1, 0].set_ylabel("loss")
    style.percent_axis(grid[0, 0].yaxis)
    _loss_axis(grid[1, 0], columns)
    for name, line in (("training", "-"), ("validation", style.DASHED)):
        grid[0, 0].plot([], [], color=COLORS["muted"], linestyle=line, label=name)
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _columns(content: ReportContent) -> list[tuple[str, str, pd.DataFrame]]:
    """Returns title, colour and curves of the recipe, and of the fix where there is another."""
    arms = {"recipe": ("your recipe", COLORS["recipe"])}
    arms.setdefault(content.fix, ("recommended", COLORS["reached"]))
    found = [(*look, content.curves[content.curves["arm"] == arm]) for arm, look in arms.items()]
    return [column for column in found if len(column[2])]


def _draw_fit(axes: Axes, table: pd.DataFrame, quantity: str, color: str) -> None:
    epoch, train, val = (table[name] for name in ("epoch", f"train_{quantity}", f"val_{quantity}"))
    shared: dict[str, Any] = {"color": color, "linewidth": 1.8, "marker": "o" if len(table) == 1 else None}
    axes.fill_between(epoch, train, val, color=color, alpha=0.15, linewidth=0)
    axes.plot(epoch, train, **shared)
    axes.plot(epoch, val, linestyle=style.DASHED, **shared)


def _loss_axis(axes: Axes, columns: Sequence[tuple[str, str, pd.DataFrame]]) -> None:
    """Makes the loss axis logarithmic where the losses span decades."""
    everything = np.concatenate(
        [table[["train_loss", "val_loss"]].to_numpy().ravel() for *_, table in columns]
    )
    positive = everything[np.isfinite(everything)]
    if len(positive) and positive.min() > 0 and positive.max() > WIDE * positive.min():
        style.log_scale(axes)
    else:
        axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]) if len(positive) and positive.min() < 0 else 0.0)


def _fit_alt(content: ReportContent) -> str:
    ends = []
    for title, _, table in _columns(content):
        last = table.sort_values("epoch").iloc[-1]
        train, val = (numbers.percent(last[f"{part}_accuracy"]) for part in ("train", "val"))
        ends.append(f"{title} ends at {train} in training and {val} in validation")
    return "Accuracy and loss by epoch: " + "; ".join(ends) + "."


@style.styled
def gradient_flow(content: ReportContent) -> Figure:
    """Returns gradient norm (top) and update ratio (below) by depth: a line per epoch, a column per arm."""
    arms = {arm: content.signals[arm] for arm in COLUMNS if len(content.signals.get(arm, ()))}
    figure = style.figure(3.5)
    grid = figure.subplots(2, len(arms), squeeze=False, sharex="col", sharey="row")
    for (arm, table), column in zip(arms.items(), grid.T, strict=True):
        title, color = COLUMNS[arm]
        column[0].set_title(title, color=color, weight="bold")
        for axes, quantity in zip(column, ROWS, strict=True):
            _draw_flow(axes, table, quantity, color)
        _name_blocks(column[-1], list(table["block"].unique()))
    for axes, name in zip(grid[:, 0], ROWS.values(), strict=True):
        axes.set_ylabel(name)
        style.log_scale(axes)
    for axes in grid[1]:
        axes.axhline(USUAL_RATIO, color=COLORS["muted"], linewidth=0.8, linestyle=":")
    grid[1, 0].plot([], [], color=COLORS["muted"], linewidth=0.8, linestyle=":", label="usual ratio")
    for name, share in (("early", 0.3), ("late", 1.0)):
        grid[0, 0].plot([], [], "o-", markersize=3, color=COLORS["ink"], alpha=share, label=name)
    figure.legend(loc="outside lower center", ncols=3, columnspacing=1.2)
    return figure


def _flows(table: pd.DataFrame) -> bool:
    return bool((table["gradient_norm"] > 0).any())


def _draw_flow(axes: Axes, table: pd.DataFrame, quantity: str, color: str) -> None:
    blocks = table["block"].unique()
    values = table.pivot(index="epoch", columns="block", values=quantity)[blocks]
    values = values.where(values > 0)  # a block that does not move has no place on a logarithmic axis
    shown = few_epochs(values.index.to_numpy())
    for epoch, share in zip(shown, np.linspace(0.3, 1.0, len(shown)), strict=True):
        alpha = 1.0 if len(shown) == 1 else float(share)
        axes.plot(
            range(len(blocks)), values.loc[epoch], "o-", color=color, alpha=alpha, markersize=3, linewidth=1.3
        )
    for place in np.flatnonzero(values.isna().all().to_numpy()):
        axes.axvspan(place - 0.5, place + 0.5, color=COLORS["line"], alpha=0.6, linewidth=0)
    still = np.flatnonzero(values.isna().all().to_numpy())
    if len(still) > 1:
        axes.text(
            still.mean(), 0.5, "frozen" if quantity == "gradient_norm" else "not updated",
            transform=axes.get_xaxis_transform(), ha="center", va="center", color=COLORS["muted"],
            fontsize=8.5, path_effects=style.halo(),
        )  # fmt: skip
    axes.set_xlim(-0.5, len(blocks) - 0.5)


def few_epochs(epochs: np.ndarray, most: int = MOST_EPOCHS) -> list[int]:
    """Returns the first epoch, a late one, and a few between, closer together where training starts.

    The very last ones are left out of a long run: schedules end at a learning rate of next to nothing.
    """
    late = round(LATE * len(epochs))
    places = np.geomspace(1, max(1, late), min(most, len(epochs))).round().astype(int) - 1
    return [int(epoch) for epoch in epochs[np.unique(places)]]


def _name_blocks(axes: Axes, blocks: list[str]) -> None:
    """Names the first block, the last and the one between: there is no room for more."""
    places = sorted({0, (len(blocks) - 1) // 2, len(blocks) - 1})
    axes.set_xticks(places, [style.shorten(blocks[place].rpartition(".")[2], 8) for place in places])
    axes.set_xlabel("block, input to output")


@style.styled
def learning_curve(content: ReportContent) -> Figure:
    """Returns test accuracy by number of training images, bracketed by two fits, and extrapolated.

    Raises:
        ValueError: the content has no learning curve.
    """
    if content.learning_curve is None:
        raise ValueError("the report's content has no learning curve")
    table = content.learning_curve.sort_values("n")
    figure = style.figure(2.8)
    axes = figure.subplots()
    axes.fill_between(
        table["n"], table["fit_low"], table["fit_high"], color=COLORS["fix"], alpha=0.3, linewidth=1.5,
        label="bracket of two fits",
    )  # fmt: skip
    measured = table[table["accuracy"].notna()]
    axes.plot(
        measured["n"],
        measured["accuracy"],
        "o-",
        color=COLORS["recipe"],
        markersize=4,
        label="probe, measured",
    )
    if content.tuned is not None:
        _draw_tuned(axes, content.tuned)
    if len(measured):
        axes.axvline(
            measured["n"].max(), color=COLORS["muted"], linewidth=0.8, linestyle=":", label="all you have"
        )
    _thousands(axes, table["n"].to_numpy())
    axes.set(xlabel="training images", ylabel="test accuracy")
    style.percent_axis(axes.yaxis)
    axes.figure.legend(loc="outside lower left", ncols=2, columnspacing=1, handlelength=1.4)
    return figure


def _thousands(axes: Axes, counts: np.ndarray) -> None:
    """Puts a logarithmic axis' labels at the last two counts and at every other one before."""
    shown = np.unique([counts[-1], *counts[-2::-2]])
    if len(shown) > 1:
        axes.set_xscale("log")
    axes.set_xticks(shown, [f"{count:,.0f}" for count in shown])
    axes.set_xticks([], minor=True)


def _draw_tuned(axes: Axes, table: pd.DataFrame) -> None:
    """Draws the best recipe's accuracy on half and all of the images, and hollow on more."""
    seen, beyond = table[table["measured"]], table[~table["measured"]]
    shared: dict[str, Any] = {"color": COLORS["reached"], "markersize": 5}
    axes.plot(table["n"], table["accuracy"], ":", linewidth=1, **shared)
    axes.plot(seen["n"], seen["accuracy"], "D-", label="best recipe, measured", **shared)
    hollow: dict[str, Any] = {"markerfacecolor": COLORS["page"], "label": "best recipe, extrapolated"}
    axes.plot(beyond["n"], beyond["accuracy"], "D", **(shared | hollow))
