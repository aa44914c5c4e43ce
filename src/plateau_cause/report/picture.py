"""A picture of the report, before and after it is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from plateau_cause.report.content import ReportContent

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Picture:
    """A figure with what a reader who does not see it needs to know."""

    name: str  # of the file
    title: str
    alt: str
    figure: Figure
    caption: str = ""  # one line: what to see in it


class Sketch(NamedTuple):
    """A picture that may be drawn: whether there is something to see, and how."""

    is_shown: bool
    name: str
    title: str
    alt: str
    draw: Callable[[ReportContent], Figure]
    caption: str = ""

    def drawn(self, content: ReportContent) -> Picture:
        """Returns the picture."""
        return Picture(self.name, self.title, self.alt, self.draw(content), self.caption)
