"""plateau_cause.html: the report as one file that opens anywhere, with no network and no framework."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from plateau_cause import numbers
from plateau_cause.report import style
from plateau_cause.report.content import ReportContent
from plateau_cause.report.picture import Picture
from plateau_cause.report.view import view
from plateau_cause.report.waterfall import Step, steps
from plateau_cause.report.wording import spoken

if TYPE_CHECKING:
    from jinja2 import Environment

# Beside its pictures in the page; the waterfall is drawn by the page itself, so that it fits any width.
DRAWN_BY_THE_PAGE = "waterfall"


@dataclass(frozen=True)
class Bar:
    """A step of the waterfall with its place in the page, in percent of the track's width."""

    step: Step
    left: float
    width: float
    end: float
    whisker: tuple[float, float] | None  # left, width


def render(content: ReportContent, pictures: Sequence[Picture]) -> str:
    """Returns the report as one self-contained HTML page; every name that came from data is escaped."""
    from markupsafe import Markup

    environment = _environment()
    script = environment.get_template("report.js").render()
    drawings = {picture.name: picture for picture in pictures if picture.name != DRAWN_BY_THE_PAGE}
    page: str = environment.get_template("report.html.jinja").render(
        **view(content),
        bars=place(steps(content.summary)),
        pictures=drawings,
        svg={name: Markup(style.to_svg(picture.figure)) for name, picture in drawings.items()},
        script=Markup(script),
        script_hash=_csp_hash(script),
    )
    return page


def place(bars: Sequence[Step]) -> list[Bar]:
    """Returns the steps with their places: the track spans 0 to 1, or to the highest end."""
    top = max(1.0, *(end for bar in bars for end in (bar.start, bar.end)))
    placed = []
    for bar in bars:
        left, right = sorted((bar.start, bar.end))
        whisker = None
        if bar.ci is not None:
            low, high = (min(max(end, 0.0), top) for end in bar.ci)
            whisker = (100 * low / top, 100 * (high - low) / top)
        placed.append(Bar(bar, 100 * left / top, 100 * (right - left) / top, 100 * bar.end / top, whisker))
    return placed


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("plateau_cause.report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {
        "percent": numbers.percent, "points": numbers.points, "interval": numbers.interval,
        "seconds": numbers.seconds, "spoken": spoken, "probability": numbers.probability,
        "share": numbers.share,
    }  # fmt: skip
    return environment


def _csp_hash(script: str) -> str:
    """Returns the hash by which the page's policy admits its own script and no other."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return "sha256-" + base64.b64encode(digest).decode("ascii")
