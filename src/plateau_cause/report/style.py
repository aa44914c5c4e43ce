"""One look for all pictures: drawn at the width of a phone, safe for colour-blind readers, light or dark."""

from __future__ import annotations

import functools
import io
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

P = ParamSpec("P")
# At 328 px, a phone's width less its margins, 9 points on 4.2 inches are 10 px.
WIDTH_IN = 4.2
# Blue, green, orange and vermillion from Okabe and Ito (2008), darkened to 3:1 on white. In the HTML each
# becomes the CSS variable of the same name, so that the page chooses light or dark.
COLORS = {
    "ink": "#1c2024", "muted": "#5d656d", "line": "#dcdfe2", "faint": "#b4bac0", "recipe": "#4f5b66",
    "fix": "#0a6cb0", "rest": "#8a939b", "reached": "#0b7a5c", "more": "#c07a00", "alarm": "#c4501b",
    "page": "#fffffe",
}  # fmt: skip
CATEGORIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f5fc0", "#7d7d7d",
              "#8d5a2b", "#94b447")  # fmt: skip
DASHED = (0, (3, 1.6))  # of what was measured on validation images
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "axes.labelcolor": COLORS["muted"],
    "axes.edgecolor": COLORS["line"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": COLORS["line"],
    "grid.linewidth": 0.6,
    "xtick.color": COLORS["line"],
    "ytick.color": COLORS["line"],
    "xtick.labelcolor": COLORS["muted"],
    "ytick.labelcolor": COLORS["muted"],
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "text.color": COLORS["ink"],
    "text.parse_math": False,  # a class called "$x^$" must neither turn into a formula nor stop the report
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "hatch.linewidth": 0.7,
    "svg.fonttype": "none",
    "svg.hashsalt": "plateau",
    "savefig.dpi": 180,
}


def figure(height_in: float) -> Figure:
    """Returns an empty figure that needs neither a window nor pyplot's global state."""
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH_IN, height_in), layout="constrained")


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Decorates a function that draws, so that the style applies."""

    @functools.wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Figure:
        import matplotlib

        with matplotlib.rc_context(STYLE):
            return draw(*args, **kwargs)

    return drawn


def halo() -> list[Any]:
    """Returns the path effects that keep a thin line or a text readable on whatever lies below it."""
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=3, foreground=COLORS["page"])]


def percent_axis(axis: Axis) -> None:
    """Labels an axis of accuracies (0..1) in percent."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.3g}%"))


def log_scale(axes: Axes) -> None:
    """Makes the vertical axis logarithmic, with few labels, each a plain number or a power of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(numticks=5))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: power(value)))


def whole_numbers(axis: Axis) -> None:
    """Labels an axis of counts at whole numbers only."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(4, integer=True, min_n_ticks=1))


def power(value: float) -> str:
    """Returns 0.01 as "0.01" and 1e-5 as 10 with a raised exponent: formulas are switched off."""
    if 1e-3 <= value < 1e4:
        return f"{value:,g}"
    digits, exponent = f"{value:.0e}".split("e")
    raised = str(int(exponent)).translate(RAISED)
    return f"10{raised}" if digits == "1" else f"{digits}·10{raised}"


def shorten(name: str, length: int = 22) -> str:
    """Returns a name that fits into a picture."""
    return name if len(name) <= length else name[: length - 1] + "\N{HORIZONTAL ELLIPSIS}"


def shorten_all(names: Sequence[str], length: int = 22) -> list[str]:
    """Returns names that fit into a picture; those that would look alike lose their middle, not their end."""
    short = [shorten(name, length) for name in names]
    head, tail = (length - 1) // 2, length - 1 - (length - 1) // 2
    return [
        f"{name[:head]}\N{HORIZONTAL ELLIPSIS}{name[-tail:]}" if short.count(cut) > 1 and cut != name else cut
        for name, cut in zip(names, short, strict=True)
    ]


def to_png(picture: Figure) -> bytes:
    """Returns the figure as a PNG on white."""
    return _save(picture, "png", facecolor="white")


def to_svg(picture: Figure) -> str:
    """Returns the figure as an <svg> element for an HTML page, its colours as CSS variables."""
    text = _save(picture, "svg", transparent=True, metadata={"Date": None}).decode("utf-8")
    text = text[text.index("<svg") :]
    for name, color in COLORS.items():
        text = re.sub(rf"((?:fill|stroke): ){color}\b", rf"\1var(--{name}, {color})", text)
    return text


def _save(picture: Figure, form: str, **options: Any) -> bytes:
    import matplotlib

    buffer = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        picture.savefig(buffer, format=form, **options)
    return buffer.getvalue()
