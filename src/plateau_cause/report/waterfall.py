"""The accuracy waterfall: from chance to the plateau, over every measured fix, to what is out of reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plateau_cause import numbers
from plateau_cause.report import style
from plateau_cause.report.sentences import is_whole_difference, subject
from plateau_cause.report.wording import words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LONGEST = 42  # letters of a label in the picture: a repair may be a sentence
# Below this an accuracy is the same number to a reader.
VISIBLE = 0.0005
TOTALS = ("chance", "reached")
MEASURED_AS_LEVEL = ("chance", "recipe", "reached")
NOT_GAINED = ("open", "ceiling")
COLORS = {
    "chance": "faint", "recipe": "recipe", "fix": "fix", "rest": "rest", "reached": "reached",
    "extrapolated": "more", "ceiling": "faint", "open": "faint",
}  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One bar of the waterfall, in test accuracy (0..1).

    Attributes:
        start, end: where the bar begins and ends; an end below the start is a loss.
        ci: the interval of `end`, where one was measured.
        kind: chance | recipe | fix | rest | reached | extrapolated | ceiling | open.
    """

    label: str
    start: float
    end: float
    ci: tuple[float, float] | None
    kind: str

    @property
    def value(self) -> str:
        """Returns the number beside the bar: an accuracy for a level, points for a change."""
        if self.kind in MEASURED_AS_LEVEL:
            return numbers.percent(self.end)
        change = self.end - self.start
        if self.kind in NOT_GAINED:
            return numbers.points(change).removeprefix("+")
        ci = None if self.ci is None else [end - self.start for end in self.ci]
        return numbers.points_with_interval(change, ci)


def steps(summary: Mapping[str, Any]) -> list[Step]:
    """Returns the waterfall of a summary, chance first and 1.0 last.

    Data causes that the verified run does not include stand behind it: what a data repair brings on top.
    """
    levels, recipe = summary["levels"], summary["plateau"]["test_accuracy"]
    chance = levels["chance"] or 0.0
    below = 0.0 if recipe < chance else chance  # below chance: that loses nothing of what chance gives
    bars = [
        Step("Chance", 0.0, chance, None, "chance"),
        Step(f"Your {subject(summary)}", below, recipe, None, "recipe"),
    ]
    measured = [cause for cause in summary["causes"] if not _is_extrapolated(cause)]
    reached = _reached(summary)
    before, behind = _split(measured, recipe, reached)
    if reached is not None and is_whole_difference(before, summary):  # what its runs gained, measured
        before = [{**before[0], "effect": reached.end - recipe, "ci": summary["verified"]["ci"]}]
    bars += _fixes(before, bars[-1].end)
    if reached is not None:
        bars += [*_rest(bars[-1].end, reached.end, alone=not before), reached]
    bars += _fixes(behind, bars[-1].end)
    bars += _more_data(summary, bars[-1].end)
    bars += _to_the_top(levels, bars[-1].end)
    return bars


def _fixes(causes: Sequence[Mapping[str, Any]], start: float, kind: str = "fix") -> list[Step]:
    bars = []
    for cause in causes:
        low, high = cause["ci"]
        label = words(cause).repair
        bars.append(Step(label, start, start + cause["effect"], (start + low, start + high), kind))
        start += cause["effect"]
    return bars


def _reached(summary: Mapping[str, Any]) -> Step | None:
    verified, reference = summary["verified"] or {}, summary["levels"]["reference"]
    if verified.get("after") is not None:
        before, ci = verified.get("before"), verified.get("ci")
        ends = None if ci is None or before is None else (before + ci[0], before + ci[1])
        label = "Repaired script" if subject(summary) == "script" else "Recommended recipe"
        return Step(label, 0.0, verified["after"], ends, "reached")
    return None if reference is None else Step("Reference recipe", 0.0, reference, None, "reached")


def _split(
    causes: list[Mapping[str, Any]], recipe: float, reached: Step | None
) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Returns the causes whose repair the reached level includes, and those that come on top of it.

    Recipe causes are always included. The data causes are, where the sum of all effects comes closer to the
    reached level with them than without.
    """
    of_recipe = [cause for cause in causes if cause["kind"] == "recipe"]
    of_data = [cause for cause in causes if cause["kind"] == "data"]
    if reached is None:
        return causes, []
    without = recipe + sum(cause["effect"] for cause in of_recipe) - reached.end
    gain = sum(cause["effect"] for cause in of_data)
    return (causes, []) if abs(without + gain) < abs(without) else (of_recipe, of_data)


def _rest(start: float, end: float, alone: bool) -> list[Step]:
    label = "All that differs" if alone else "Interactions, the rest"
    bar = Step(label, start, end, None, "rest")
    return [bar] if abs(end - start) >= VISIBLE else []


def _more_data(summary: Mapping[str, Any], start: float) -> list[Step]:
    carried_on = [cause for cause in summary["causes"] if _is_extrapolated(cause)]
    if carried_on:
        return _fixes(carried_on, start, "extrapolated")
    level = summary["levels"].get("more_data")
    return [] if level is None or level - start < VISIBLE else [_extrapolated(start, level)]


def _is_extrapolated(cause: Mapping[str, Any]) -> bool:
    return bool(cause.get("extrapolated", cause["cause"] == "limited_data"))


def _extrapolated(start: float, level: float) -> Step:
    return Step("More data, extrapolated", start, level, None, "extrapolated")


def _to_the_top(levels: Mapping[str, Any], start: float) -> list[Step]:
    ceiling, bars = levels.get("label_noise_ceiling"), []
    if ceiling is not None and start < ceiling < 1.0 - VISIBLE:
        bars.append(Step("Not explained", start, ceiling, None, "open"))
        return [*bars, Step("Wrong test labels", ceiling, 1.0, None, "ceiling")]
    return [Step("Not explained", start, 1.0, None, "open")] if 1.0 - start >= VISIBLE else []


@style.styled
def plot(bars: Sequence[Step]) -> Figure:
    """Returns the waterfall as a figure: one row per step, top to bottom, with intervals."""
    figure = style.figure(0.46 * len(bars) + 0.7)
    axes = figure.subplots()
    for row, bar in enumerate(bars):
        _draw(axes, row, bar)
        if row and bar.kind not in TOTALS:  # a thin thread from the end of the bar above
            axes.plot([bar.start] * 2, [row - 0.7, row + 0.05], color=style.COLORS["muted"], linewidth=0.8)
    top = max(1.0, *(bar.end for bar in bars))
    axes.set(xlim=(0, top), ylim=(len(bars) - 0.45, -0.75), yticks=[], xlabel="test accuracy")
    style.percent_axis(axes.xaxis)
    return figure


def _draw(axes: Axes, row: int, bar: Step) -> None:
    color, halo = style.COLORS[COLORS[bar.kind]], style.halo()
    hollow = bar.kind in ("extrapolated", "open")
    axes.barh(
        row + 0.18, bar.end - bar.start, left=bar.start, height=0.34, color="none" if hollow else color,
        edgecolor=color, hatch="////" if bar.kind == "extrapolated" else None,
        linestyle=":" if bar.kind == "open" else "-",
    )  # fmt: skip
    if bar.ci is not None:
        low, high = (min(max(end, 0.0), 1.0) for end in bar.ci)
        axes.plot(
            [low, high],
            [row + 0.18] * 2,
            color=style.COLORS["ink"],
            linewidth=1.2,
            marker="|",
            path_effects=halo,
        )
    weight = "bold" if bar.kind in ("recipe", "reached", "fix") else "normal"
    for place, text, side in ((0.0, style.shorten(bar.label, LONGEST), "left"), (1.0, bar.value, "right")):
        axes.text(
            place, row - 0.06, text, transform=axes.get_yaxis_transform(), va="bottom", ha=side, fontsize=9,
            weight=weight, path_effects=halo,
        )  # fmt: skip
