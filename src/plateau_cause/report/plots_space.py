"""Pictures of what the backbone sees: the joint UMAP and the batch-norm profile by depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from plateau_cause.report import style
from plateau_cause.report.content import ReportContent
from plateau_cause.report.picture import Sketch
from plateau_cause.report.style import COLORS
from plateau_cause.report.wording import spoken

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

VIEWS = {"recipe": COLORS["recipe"], "canonical": COLORS["fix"], "random": COLORS["more"]}
# Beyond this many points vector graphics make a page heavy: they are drawn as one image inside the SVG.
MOST_VECTOR_POINTS = 800
MOST_LABELS = 20
MOST_PARTS = 6
WIDE_KL = 10  # nats, beyond which a linear axis would hide the small ones


def listed(content: ReportContent) -> list[Sketch]:
    """Returns the pictures of the features, each with whether there is something to show."""
    projected = content.projection is not None and len(content.projection) > 0
    several = projected and content.projection is not None and content.projection["view"].nunique() > 1
    return [
        Sketch(
            projected, "umap_by_class", "How the classes lie (UMAP)",
            "Two-dimensional UMAP projection of the features, coloured by class.", umap_by_class,
        ),
        Sketch(
            several, "umap_by_view", "The same by preprocessing",
            "The same UMAP projection, coloured by the view that made the features.", umap_by_view,
        ),
        Sketch(
            bool(_pretrained(content)), "batch_norm_profile", "Shift by depth",
            "How far each layer's batch-norm statistics lie from those of the weights, by depth and view.",
            batch_norm_profile,
        ),
    ]  # fmt: skip


@style.styled
def umap_by_class(content: ReportContent) -> Figure:
    """Returns the projection of the recipe's view (else of all) coloured by class, names in place."""
    table = _projection(content)
    own = table[table["view"] == "recipe"]
    table = own if len(own) else table
    names = table["label"].value_counts().index  # largest first
    figure, axes = _map()
    for name, color in zip(sorted(names), _colors(len(names)), strict=True):
        _scatter(axes, table[table["label"] == name], color, len(table))
    for name in names[:MOST_LABELS]:
        x, y = table.loc[table["label"] == name, ["x", "y"]].median()
        text = style.shorten(str(name), 16)
        axes.text(x, y, text, ha="center", va="center", fontsize=9, weight="bold", path_effects=style.halo())
    return figure


@style.styled
def umap_by_view(content: ReportContent) -> Figure:
    """Returns the joint projection coloured by the preprocessing (view) that the features came from."""
    table = _projection(content)
    figure, axes = _map()
    # Shuffled, so that no view hides another by being drawn last.
    table = table.sample(frac=1, random_state=0)
    colors = table["view"].map(lambda view: VIEWS.get(view, COLORS["faint"]))
    _scatter(axes, table, colors.tolist(), len(table))
    for view in table["view"].unique():
        axes.plot([], [], "o", color=VIEWS.get(view, COLORS["faint"]), markersize=5, label=spoken(str(view)))
    axes.figure.legend(loc="outside lower center", ncols=3)
    return figure


def _projection(content: ReportContent) -> pd.DataFrame:
    if content.projection is None:
        raise ValueError("the report's content has no projection")
    return content.projection


def _map() -> tuple[Figure, Axes]:
    figure = style.figure(3.6)
    axes = figure.subplots()
    axes.set(xticks=[], yticks=[])  # a UMAP axis has no unit
    axes.set_aspect("equal", adjustable="datalim")
    axes.spines[:].set_visible(False)
    return figure, axes


def _scatter(axes: Axes, table: pd.DataFrame, color: str | list[str], total: int) -> None:
    size = float(np.clip(9000 / max(total, 1), 4, 20))
    axes.scatter(
        table["x"],
        table["y"],
        s=size,
        c=color,
        alpha=0.75,
        linewidths=0,
        rasterized=total > MOST_VECTOR_POINTS,
    )


def _colors(count: int) -> list[str]:
    """Returns one colour per class: distinct up to ten, evenly spaced beyond (names stand in place)."""
    if count <= len(style.CATEGORIES):
        return list(style.CATEGORIES[:count])
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    return [to_hex(colormaps["turbo"](share)) for share in np.linspace(0.06, 0.94, count)]


@style.styled
def batch_norm_profile(content: ReportContent) -> Figure:
    """Returns how far each layer's input statistics lie from the weights' own, one line per view."""
    figure = style.figure(2.7)
    axes = figure.subplots()
    for view, layers in _pretrained(content).items():
        kl = [np.nan if layer["kl"] is None else layer["kl"] for layer in layers]
        color = VIEWS.get(view, COLORS["faint"])
        axes.plot(range(len(kl)), kl, "o-", markersize=3, linewidth=1.4, color=color, label=spoken(view))
    _mark_depths(axes, [str(layer["depth"]) for layer in next(iter(_pretrained(content).values()))])
    if axes.dataLim.ymax > WIDE_KL:
        axes.set_yscale("symlog", linthresh=1)  # zero, for statistics that agree, stays on the axis
    axes.set_ylim(0, 1.15 * axes.get_ylim()[1])
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.3g}")
    axes.set(xlabel="layers, first to last", ylabel="KL divergence, nats", xticks=[])
    axes.figure.legend(loc="outside lower center", ncols=3)
    return figure


def _pretrained(content: ReportContent) -> dict[str, Sequence[Mapping[str, Any]]]:
    """Returns the views to compare with the pretraining; random weights have none."""
    return {view: layers for view, layers in content.profile.items() if view != "random" and layers}


def _mark_depths(axes: Axes, depths: list[str]) -> None:
    """Names the parts of the network above the layers; a depth that is a number per layer needs no names."""
    parts = list(dict.fromkeys(depths))
    if len(parts) > MOST_PARTS:
        return
    for part in parts:
        first, count = depths.index(part), depths.count(part)
        if first:
            axes.axvline(first - 0.5, color=COLORS["line"], linewidth=1)
        place = (first + (count - 1) / 2, 1)
        axes.annotate(
            part, place, xycoords=("data", "axes fraction"), ha="center", va="bottom", fontsize=8,
            color=COLORS["muted"],
        )  # fmt: skip
