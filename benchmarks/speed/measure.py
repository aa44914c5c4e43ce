"""A line of the table: a ratio, measured several times in one run, and its bar."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """What one measure gave.

    Attributes:
        what: is done.
        against: what it is compared with.
        ratios: one per round, (other seconds) / (our seconds), or (ours) / (others) where `at_most`.
        bar: what the median has to reach, or not to exceed.
        at_most: whether smaller is better.
    """

    what: str
    against: str
    ratios: tuple[float, ...]
    bar: float
    at_most: bool = False

    @property
    def is_met(self) -> bool:
        """Returns whether the median is on the right side of the bar."""
        median = statistics.median(self.ratios)
        return median <= self.bar if self.at_most else median >= self.bar

    def line(self) -> str:
        """Returns the row of the table as Markdown: median, least and largest ratio."""
        median, sign = statistics.median(self.ratios), "≤" if self.at_most else "≥"
        spread = f"{min(self.ratios):.2f} to {max(self.ratios):.2f}"
        verdict = "met" if self.is_met else "**not met**"
        return f"| {self.what} | {self.against} | {median:.2f} | {spread} | {sign} {self.bar:g} | {verdict} |"


HEADING = "| measure | against | ratio, median | spread | bar | |\n|---|---|---|---|---|---|"


def in_turn(sides: Sequence[Callable[[], float]], rounds: int) -> list[tuple[float, ...]]:
    """Returns what each side gives, per round; every second round runs in the other order."""
    found = []
    for turn in range(rounds):
        order = range(len(sides)) if turn % 2 == 0 else reversed(range(len(sides)))
        values = {place: sides[place]() for place in order}
        found.append(tuple(values[place] for place in range(len(sides))))
    return found


def seconds(action: Callable[[], object]) -> float:
    """Returns how long an action takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started
