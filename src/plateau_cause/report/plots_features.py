"""Pictures of the features; every function returns a matplotlib Figure and writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_LEGEND_ENTRIES = 20
LABEL_LENGTH = 24
MARKERS = ("o", "^", "s", "D")
DEPTH_SHADES = {"stem": "0.88", "early": "0.96", "mid": "0.92", "late": "0.96"}


def umap_figure(points: pd.DataFrame, by: str, trustworthiness: float, preservation: float) -> Figure:
    """Returns the joint UMAP coloured by `label`, `split` or `view`; markers tell views apart."""
    figure, axes = _figure(6.4, 5.4)
    names = sorted(points[by].unique())
    for color, name in zip(_colors(len(names)), names, strict=True):
        for marker, view in zip(MARKERS, sorted(points["view"].unique()), strict=False):
            chosen = points[(points[by] == name) & (points["view"] == view)]
            axes.scatter(chosen["x"], chosen["y"], s=7, color=color, marker=marker, linewidths=0, alpha=0.75)
        axes.scatter([], [], s=20, color=color, label=_text(name))
    if by != "view" and points["view"].nunique() > 1:
        for marker, view in zip(MARKERS, sorted(points["view"].unique()), strict=False):
            axes.scatter([], [], s=20, color="0.5", marker=marker, label=_text(view))
    if len(names) <= MOST_LEGEND_ENTRIES:
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=8)
    warning = "" if trustworthiness >= 0.8 else " (below 0.8: do not read)"
    quality = f"trustworthiness {trustworthiness:.2f}{warning}, neighbours kept {preservation:.2f}"
    axes.set_title(f"Joint UMAP by {'class' if by == 'label' else by}\n{quality}", fontsize=10)
    axes.set(xticks=[], yticks=[])
    return figure


def profile_figure(profiles: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Returns batch-norm KL divergence by depth, one line per view; without batch norm the stages' spread.

    Args:
        profiles: by view, as in profile.json.
    """
    figure, axes = _figure(7.2, 3.8)
    layered = {view: profile["layers"] for view, profile in profiles.items() if profile["layers"]}
    for color, (view, layers) in zip(_colors(len(layered)), layered.items(), strict=True):
        values = [layer["kl"] for layer in layers]
        axes.plot(range(len(values)), values, marker="o", markersize=3, color=color, label=_text(view))
    if layered:
        _shade_depths(axes, next(iter(layered.values())))
        axes.set(yscale="log", xlabel="batch-norm layer, in order", ylabel="median KL to pretraining, nats")
    else:
        _stage_lines(axes, profiles)
    axes.set_title("What each layer sees, against its pretraining", fontsize=10)
    axes.legend(frameon=False, fontsize=8)
    return figure


def levels_figure(levels: Mapping[str, float]) -> Figure:
    """Returns accuracy levels as horizontal bars, lowest first."""
    figure, axes = _figure(6.4, 0.6 + 0.34 * len(levels))
    names = sorted(levels, key=lambda name: levels[name])
    bars = axes.barh(
        [_text(name.replace("_", " ")) for name in names], [levels[n] for n in names], color="tab:blue"
    )
    axes.bar_label(bars, fmt="%.2f", padding=3, fontsize=8)
    axes.set(xlim=(0, 1.08), xlabel="test accuracy")
    axes.set_title("What the frozen features give", fontsize=10)
    return figure


def learning_curve_figure(curve: Mapping[str, Any]) -> Figure:
    """Returns accuracy over training images with the bracket at twice as many, from probes.json."""
    figure, axes = _figure(5.4, 3.6)
    sizes, accuracy = np.asarray(curve["sizes"]), np.asarray(curve["accuracy"])
    axes.plot(sizes, accuracy.mean(1), color="tab:blue", label="linear probe")
    axes.scatter(np.repeat(sizes, accuracy.shape[1]), accuracy.ravel(), s=10, color="tab:blue", alpha=0.6)
    low, high = curve["forecast"]
    middle = (low + high) / 2
    style: dict[str, Any] = {"color": "tab:orange", "fmt": "o", "capsize": 4}
    spread = [[middle - low], [high - middle]]
    axes.errorbar([2 * sizes[-1]], [middle], yerr=spread, label="twice the images, two power laws", **style)
    axes.set(xscale="log", xlabel="training images", ylabel="test accuracy")
    axes.set_title("Would more images help?", fontsize=10)
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    return figure


def shift_figures(
    points: pd.DataFrame, picture: tuple[float, float], profiles: Mapping[str, Any], probes: Mapping[str, Any]
) -> dict[str, Figure]:
    """Returns every figure of the stage by file name without suffix.

    Args:
        points: the joint picture.
        picture: its trustworthiness and neighbour preservation.
        profiles: batch-norm profiles by view.
        probes: content of probes.json.
    """
    figures = {f"umap_{by}": umap_figure(points, by, *picture) for by in ("label", "split", "view")}
    # It has no pretraining
    trusted = {view: profile for view, profile in profiles.items() if view != "random"}
    figures["profile"] = profile_figure(trusted)
    figures["probes"] = levels_figure(probe_levels(probes))
    figures["learning_curve"] = learning_curve_figure(probes["learning_curve"])
    return figures


def probe_levels(probes: Mapping[str, Any]) -> dict[str, float]:
    """Returns test accuracies by name: chance, majority, kNN and linear probe per view."""
    levels = {"chance": probes["chance"], "majority": probes["majority"]}
    for view, found in probes["views"].items():
        levels |= {f"knn_{view}": found["knn"]["accuracy"]["test"]}
        levels |= {f"linear_probe_{view}": found["linear_probe"]["accuracy"]["test"]}
    return levels


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    """Returns a figure without pyplot: nothing stays in a global list."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes: Axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _colors(count: int) -> Sequence[Any]:
    from matplotlib import colormaps

    if count <= 10:
        return [colormaps["tab10"](i) for i in range(count)]
    return [colormaps["hsv"](i / count) for i in range(count)]


def _text(name: object) -> str:
    """Returns a name that came from data, cut to length; `$` starts no formula and `_` hides nothing."""
    text = str(name)
    text = text if len(text) <= LABEL_LENGTH else text[: LABEL_LENGTH - 1] + "…"
    text = text.replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text


def _shade_depths(axes: Axes, layers: Sequence[Mapping[str, Any]]) -> None:
    depths = [layer["depth"] for layer in layers]
    for depth, shade in DEPTH_SHADES.items():
        members = [i for i, one in enumerate(depths) if one == depth]
        if members:
            axes.axvspan(members[0] - 0.5, members[-1] + 0.5, color=shade, zorder=0)
            middle = (members[0] + members[-1]) / 2
            axes.annotate(
                depth, (middle, 0.97), xycoords=("data", "axes fraction"), ha="center", va="top", fontsize=8
            )


def _stage_lines(axes: Axes, profiles: Mapping[str, Mapping[str, Any]]) -> None:
    for color, (view, profile) in zip(_colors(len(profiles)), profiles.items(), strict=True):
        stages = profile["stages"]
        axes.plot(
            list(stages), [stages[s]["std"] for s in stages], marker="o", color=color, label=_text(view)
        )
    axes.set(yscale="log", ylabel="standard deviation of the output")
    axes.tick_params(axis="x", rotation=45, labelsize=7)
