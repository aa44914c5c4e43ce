"""The pictures of the report, each a function from its content to a matplotlib Figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from plateau_cause import numbers
from plateau_cause.report import (
    plots_errors,
    plots_landscape,
    plots_space,
    plots_training,
    style,
    waterfall,
)
from plateau_cause.report.content import ReportContent
from plateau_cause.report.picture import Picture, Sketch
from plateau_cause.report.style import COLORS
from plateau_cause.report.view import by_standing
from plateau_cause.report.wording import spoken, words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Swaps beyond these many first causes are drawn grey: a reader follows three lines, not sixteen.
HIGHLIGHTED = 3
TOO_CLOSE = 0.15  # accuracies: two names beside the axes need this much room
HIGHLIGHTS = (COLORS["fix"], COLORS["more"], COLORS["alarm"])


@style.styled
def curves(content: ReportContent) -> Figure:
    """Returns the accuracies of all arms by epoch: training solid, validation dashed, levels beside."""
    from matplotlib.ticker import MaxNLocator

    figure = style.figure(4.2)
    axes = figure.subplots()
    looks = _looks(content.summary)
    arms = {str(arm): rows for arm, rows in content.curves.groupby("arm", sort=False)}
    for arm in sorted(arms, key=lambda arm: arm in looks):  # what matters is drawn last, on top
        _draw_arm(axes, arms[arm], looks.get(arm, (COLORS["faint"], 0.8, "other swaps")))
    _draw_levels(axes, content.summary)
    axes.set(xlabel="epoch", ylim=(0, 1.02))
    style.percent_axis(axes.yaxis)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _legend_below(axes)
    return figure


def _looks(summary: dict[str, Any]) -> dict[str, tuple[str, float, str]]:
    """Returns colour, line width and legend of the arms that stand out."""
    looks = {
        "recipe": (COLORS["recipe"], 2.4, "your recipe"),
        "reference": (COLORS["reached"], 2.4, "reference"),
    }
    for cause, color in zip(summary["causes"][:HIGHLIGHTED], HIGHLIGHTS, strict=False):
        repaired = f"recipe + {cause['cause']}"
        looks[repaired] = (color, 1.5, style.shorten(spoken(repaired), 26))
    return looks


def _draw_arm(axes: Axes, arm: pd.DataFrame, look: tuple[str, float, str]) -> None:
    color, width, label = look
    taken = label in axes.get_legend_handles_labels()[1]
    # A run of a single epoch is a point, not a line.
    shared: dict[str, Any] = {"color": color, "linewidth": width, "marker": "o" if len(arm) == 1 else None}
    axes.plot(arm["epoch"], arm["train_accuracy"], label=None if taken else label, **shared)
    axes.plot(arm["epoch"], arm["val_accuracy"], **shared, linestyle=style.DASHED)


def _draw_levels(axes: Axes, summary: dict[str, Any]) -> None:
    plateau = None if summary["verdict"] == "healthy" else summary["plateau"]["level"]
    levels = {name: summary["levels"][name] for name in ("chance", "linear_probe")}
    known = {name: level for name, level in levels.items() if level is not None}
    for name, level in known.items():
        axes.axhline(level, color=COLORS["muted"], linewidth=0.8, linestyle=":")
        just_below = plateau is not None and plateau - TOO_CLOSE < level <= plateau
        _name_line(axes, level, spoken(name), COLORS["muted"], above=not just_below)
    if plateau is not None:
        axes.axhline(plateau, color=COLORS["alarm"], linewidth=1)
        crowded = any(plateau < level < plateau + TOO_CLOSE for level in known.values())
        _name_line(axes, plateau, f"plateau {numbers.percent(plateau)}", COLORS["alarm"], above=not crowded)


def _name_line(axes: Axes, level: float, name: str, color: str, above: bool) -> None:
    """Names a level beside the axes, clear of the curves."""
    axes.annotate(
        name.replace(" ", "\n"), (1, level), xycoords=("axes fraction", "data"),
        xytext=(3, 1 if above else -1),
        fontsize=8.5, textcoords="offset points", va="bottom" if above else "top", color=color,
        linespacing=1.05,
    )  # fmt: skip


def _legend_below(axes: Axes) -> None:
    axes.plot([], [], color=COLORS["muted"], linestyle="-", label="training")
    axes.plot([], [], color=COLORS["muted"], linestyle=style.DASHED, label="validation")
    lines = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    names = sorted(lines, key=lambda name: name == "other swaps")  # last, though drawn first
    axes.figure.legend(
        [lines[name] for name in names], names, loc="outside lower left", ncols=1 + (len(names) > 4)
    )


@style.styled
def effects(content: ReportContent) -> Figure:
    """Returns a forest plot: each difference's worth with its interval, causes filled, the others hollow."""
    summary = content.summary
    rows = [(words(cause).title, cause, True) for cause in summary["causes"]]
    rows += [(spoken(entry["factor"]), entry, False) for entry in _tested(summary)]
    figure = style.figure(0.44 * len(rows) + 0.85)
    axes = figure.subplots()
    if (band := summary.get("min_effect")) is not None:
        axes.axvspan(-100 * band, 100 * band, color=COLORS["line"], alpha=0.45, linewidth=0)
    axes.axvline(0, color=COLORS["muted"], linewidth=1)
    for row, (label, entry, is_cause) in enumerate(rows):
        _draw_effect(axes, row, label, entry, COLORS["fix"] if is_cause else COLORS["rest"], is_cause)
    axes.set(yticks=[], ylim=(len(rows) - 0.4, -0.8), xlabel="points of test accuracy")
    axes.margins(x=0.08)
    return figure


def _tested(summary: dict[str, Any]) -> list[dict[str, Any]]:
    entries = [entry for _, group in by_standing(summary) for entry in group]
    return [entry for entry in entries if entry["effect"] is not None and entry["ci"] is not None]


def _draw_effect(axes: Axes, row: int, label: str, entry: dict[str, Any], color: str, filled: bool) -> None:
    low, high = (100 * end for end in entry["ci"])
    axes.plot([low, high], [row + 0.1] * 2, color=color, linewidth=2)
    face = color if filled else COLORS["page"]
    axes.plot(100 * entry["effect"], row + 0.1, "o", color=color, markerfacecolor=face, markersize=6)
    number = numbers.points(entry["effect"]).removesuffix(" points")
    for place, text, side in ((0.0, style.shorten(label, 42), "left"), (1.0, number, "right")):
        axes.text(
            place, row - 0.12, text, transform=axes.get_yaxis_transform(), va="bottom", ha=side, fontsize=8.5,
            weight="bold" if filled else "normal", path_effects=style.halo(),
        )  # fmt: skip


@style.styled
def runs(content: ReportContent) -> Figure:
    """Returns test accuracy per run, best first, with the training accuracy of the same run as a tick."""
    ranked = sorted(content.runs, key=lambda run: run["test_accuracy"])
    figure = style.figure(0.27 * len(ranked) + 0.8)
    axes = figure.subplots()
    colors = [{"recipe": COLORS["recipe"], "reference": COLORS["reached"]}.get(run["name"]) for run in ranked]
    tests = [run["test_accuracy"] for run in ranked]
    bars = axes.barh(
        range(len(ranked)), tests, height=0.7, color=[color or COLORS["faint"] for color in colors]
    )
    labels = axes.bar_label(
        bars, [numbers.percent(test) for test in tests], label_type="center", fontsize=8.5
    )
    for label, color in zip(labels, colors, strict=True):
        label.set_color(COLORS["page"] if color else COLORS["ink"])
    trains = [np.nan if run["train_accuracy"] is None else run["train_accuracy"] for run in ranked]
    axes.plot(trains, range(len(ranked)), "|", color=COLORS["ink"], markersize=9, label="training accuracy")
    axes.set_yticks(range(len(ranked)), [style.shorten(spoken(run["name"]), 32) for run in ranked])
    axes.tick_params(axis="y", labelcolor=COLORS["ink"], length=0)
    axes.grid(visible=False, axis="y")
    axes.set(xlim=(0, 1.03), xlabel="test accuracy")
    style.percent_axis(axes.xaxis)
    axes.figure.legend(loc="outside lower right")
    return figure


@style.styled
def waterfall_picture(content: ReportContent) -> Figure:
    """Returns the accuracy waterfall of the summary."""
    return waterfall.plot(waterfall.steps(content.summary))


def pictures(content: ReportContent) -> list[Picture]:
    """Returns every picture for which there is something to show, in the order of the report."""
    sketches = [
        *_of_the_summary(content),
        *plots_errors.listed(content),
        *plots_space.listed(content),
        plots_training.learning_curve_sketch(content),
        Sketch(
            len(content.runs) > 1, "runs", "Test accuracy per run",
            "Test accuracy of every run, best first.", runs,
        ),
        *plots_training.listed(content),
        *plots_landscape.listed(content),
    ]  # fmt: skip
    return [sketch.drawn(content) for sketch in sketches if sketch.is_shown]


def _of_the_summary(content: ReportContent) -> list[Sketch]:
    summary = content.summary
    steps = "; ".join(f"{bar.label} {bar.value}" for bar in waterfall.steps(summary))
    return [
        Sketch(
            True, "waterfall", "Accuracy waterfall", f"Test accuracy, step by step: {steps}.",
            waterfall_picture,
        ),
        Sketch(
            len(content.curves) > 0, "curves", "Accuracy by epoch, all runs", _curves_alt(content), curves
        ),
        Sketch(
            len(summary["causes"]) + len(_tested(summary)) > 1, "effects", "What each difference is worth",
            "Effect of each difference on test accuracy, with its interval.", effects,
        ),
    ]  # fmt: skip


def _curves_alt(content: ReportContent) -> str:
    last = content.curves.sort_values("epoch").groupby("arm", sort=False)["train_accuracy"].last()
    ends = [f"{arm} ends at {numbers.percent(end)} in training" for arm, end in last.items()]
    return "Training and validation accuracy by epoch: " + "; ".join(ends) + "."
