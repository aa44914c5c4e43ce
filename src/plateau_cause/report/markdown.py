"""plateau_cause.md: the report for a pull request, a wiki or a terminal."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from plateau_cause import numbers
from plateau_cause.report.content import ReportContent
from plateau_cause.report.picture import Picture
from plateau_cause.report.view import view
from plateau_cause.report.wording import spoken

if TYPE_CHECKING:
    from jinja2 import Environment

# What CommonMark and GitHub read as markup within a line, and at its start; < > & become entities.
WITHIN = re.compile(r"([\\`*\[\]|~$]|(?<!\w)_|_(?!\w))")
AT_START = re.compile(r"^(\d*)([#+=.)-])")


def render(content: ReportContent, pictures: Sequence[Picture], folder: str) -> str:
    """Returns the report as GitHub-flavoured Markdown.

    Args:
        content: of the report.
        pictures: to embed.
        folder: of the pictures' PNG files, relative to the Markdown file.
    """
    by_name = {picture.name: picture for picture in pictures}
    text: str = (
        _environment()
        .get_template("report.md.jinja")
        .render(**view(content), pictures=by_name, folder=folder)
    )
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("plateau_cause.report"), autoescape=False, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {
        "md": escape, "fenced": fenced, "percent": numbers.percent, "points": numbers.points,
        "probability": numbers.probability, "spoken": spoken, "share": numbers.share,
        "interval": numbers.interval, "seconds": numbers.seconds,
    }  # fmt: skip
    return environment


def escape(text: Any) -> str:
    """Returns text that Markdown shows letter by letter, on one line."""
    flat = " ".join(str(text).split())
    return AT_START.sub(r"\1\\\2", WITHIN.sub(r"\\\1", html.escape(flat, quote=False)))


def fenced(code: str, language: str = "yaml") -> str:
    """Returns a code block whose fence is longer than any run of backticks in the code."""
    longest = max((len(run) for run in re.findall(r"`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{code}\n{fence}"
