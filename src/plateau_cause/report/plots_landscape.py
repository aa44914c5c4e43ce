"""Pictures of the loss between the two arms' weights, and around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from plateau_cause import numbers
from plateau_cause.report import style
from plateau_cause.report.content import ReportContent
from plateau_cause.report.picture import Sketch
from plateau_cause.report.plots_training import COLUMNS
from plateau_cause.report.style import COLORS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHADES, RINGS = 12, 5  # steps of colour that the maps share, contours of a map of its own
FINE = 41  # points each way, between which a map's contours are drawn
RIDGE = 0.1  # nats above the higher end, from which the way between two arms leads uphill
VISIBLE = 1e-3  # nats: below it a loss is the same everywhere
ENDS = [COLUMNS[arm][1] for arm in ("recipe", "reference")]
HIGH = 50.0  # nats, beyond which a linear axis would hide the rest


def listed(content: ReportContent) -> list[Sketch]:
    """Returns both pictures, each with whether there is something to show."""
    maps = " and ".join(COLUMNS[arm][0] for arm in _arms(content))
    return [
        Sketch(
            _has_line(content), "landscape_line", "From your recipe's weights to the reference's",
            _line_alt(content), landscape_line, _line_caption(content),
        ),
        Sketch(
            len(_arms(content)) > 0, "landscape_planes", "How sharp the loss is around the weights",
            f"Cross-entropy on training images around the weights of {maps}, along two random directions.",
            landscape_planes,
            "Over the blocks that training moved, one colour scale. Rings close together: sharp.",
        ),
    ]  # fmt: skip


@style.styled
def landscape_line(content: ReportContent) -> Figure:
    """Returns loss (top) and accuracy (below) along the straight line from the recipe to the reference."""
    land = content.landscape
    figure = style.figure(3.3)
    top, below = figure.subplots(2, 1, sharex=True)
    for axes, quantity in ((top, "loss"), (below, "accuracy")):
        _draw_line(axes, land["line_at"], land[f"line_{quantity}"])
        axes.set_ylabel(quantity)
    if np.nanmax(_known(land["line_loss"])) > HIGH:
        style.log_scale(top)
    else:
        top.set_ylim(bottom=0)
    below.set(ylim=(0, 1.03), xlim=(-0.04, 1.04))
    style.percent_axis(below.yaxis)
    below.set_xticks([0, 0.5, 1], ["your recipe", "halfway", "reference"])
    for label, color in zip(below.get_xticklabels()[::2], ENDS, strict=True):
        label.set(color=color, weight="bold")
    figure.legend(*top.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def _draw_line(axes: Axes, at: np.ndarray, both: np.ndarray) -> None:
    for values, name, line in zip(_known(both), ("training", "validation"), ("-", style.DASHED), strict=True):
        axes.plot(at, values, color=COLORS["fix"], linewidth=1.8, linestyle=line, label=name)
        axes.scatter(at[[0, -1]], values[[0, -1]], s=36, c=ENDS, zorder=3, clip_on=False)


def _known(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.nan)


def _has_line(content: ReportContent) -> bool:
    """Returns whether the loss of both ends is known, and not the same all along."""
    loss = content.landscape.get("line_loss")
    return loss is not None and bool(np.isfinite(loss[:, [0, -1]]).all() and np.ptp(loss[0]) > VISIBLE)


def _line_caption(content: ReportContent) -> str:
    land = content.landscape
    if not _has_line(content):
        return ""
    loss = land["line_loss"][0]
    ridge = float(np.nan_to_num(loss, nan=np.inf).max() - max(loss[0], loss[-1]))
    moved = "Weights and inputs" if bool(land["line_mixes_inputs"]) else "Weights"
    high = (
        f"A ridge lies between: +{ridge:.2f} in cross-entropy." if ridge > RIDGE else "No ridge lies between."
    )
    return f"{moved} interpolated step by step. {high}"


def _line_alt(content: ReportContent) -> str:
    land = content.landscape
    if not _has_line(content):
        return ""
    ends = [
        f"{name}: loss {land['line_loss'][0][end]:.2f}, "
        f"accuracy {numbers.percent(land['line_accuracy'][0][end])}"
        for name, end in (("your recipe", 0), ("reference", -1))
    ]
    highest = np.nanmax(_known(land["line_loss"][0]))
    return (
        f"Cross-entropy on training images between the arms' weights, {'; '.join(ends)}; highest between "
        f"them {highest:.2f}."
    )


@style.styled
def landscape_planes(content: ReportContent) -> Figure:
    """Returns a map of the training loss around each arm's weights; one colour scale for all maps."""
    arms = _arms(content)
    maps = {arm: smooth(content.landscape[f"plane_{arm}"]) for arm in arms}
    shades = np.linspace(0, max(values.max() for values in maps.values()), SHADES + 1)[:-1]
    figure = style.figure(2.75 if len(arms) > 1 else 3.6)
    for axes, arm in zip(figure.subplots(1, len(arms), squeeze=False, sharey=True)[0], arms, strict=True):
        _draw_map(axes, content, arm, maps[arm], shades)
    figure.supxlabel("first direction, % of each filter's length", fontsize=9, color=COLORS["muted"])
    figure.axes[0].set_ylabel("second direction")
    return figure


def _arms(content: ReportContent) -> list[str]:
    """Returns the arms around which the loss is known and not the same everywhere."""
    planes = {arm: content.landscape.get(f"plane_{arm}") for arm in COLUMNS}
    return [
        arm
        for arm, plane in planes.items()
        if plane is not None and np.isfinite(plane).any() and np.ptp(plane[np.isfinite(plane)]) > VISIBLE
    ]


def smooth(plane: np.ndarray) -> np.ndarray:
    """Returns log(1 + loss) between the points of a map (S, S) as (FINE, FINE), by cubic splines."""
    from scipy.interpolate import RectBivariateSpline

    highest = plane[np.isfinite(plane)].max()
    logs = np.log1p(np.nan_to_num(plane, nan=highest, posinf=highest))
    steps, fine = (np.linspace(0, 1, count) for count in (len(plane), FINE))
    found = RectBivariateSpline(steps, steps, logs)(fine, fine)
    return np.asarray(found.clip(logs.min(), logs.max()))  # a spline overshoots beside a cliff


def _draw_map(axes: Axes, content: ReportContent, arm: str, logs: np.ndarray, shades: np.ndarray) -> None:
    title, color = COLUMNS[arm]
    percent = 100 * content.landscape["plane_steps"]
    fine = np.linspace(percent[0], percent[-1], len(logs))
    for shade in shades[shades < logs.max()]:  # sheet upon sheet: the higher the loss, the deeper
        axes.contourf(fine, fine, logs.T, [shade, np.inf], colors=[COLORS["alarm"]], alpha=0.07)
    rings = np.linspace(logs.min(), logs.max(), RINGS + 2)[1:-1]
    lines = axes.contour(fine, fine, logs.T, rings, colors=[COLORS["alarm"]], linewidths=0.8)
    for text in axes.clabel(lines, rings[:-1:2], fmt=_loss, fontsize=8, colors=[COLORS["ink"]]):
        text.set_rotation(0)
    axes.plot(0, 0, "o", color=color, markersize=6)
    moved, total = content.landscape[f"blocks_{arm}"]
    axes.set_title(f"{title}\nmoved {moved} of {total} blocks", color=color, weight="bold")
    axes.set_aspect("equal")
    axes.grid(visible=False)


def _loss(log: float) -> str:
    loss = float(np.expm1(log))
    return f"{loss:.2f}" if loss < 10 else f"{loss:.3g}"
