"""Errors that the user can mend, and how they are put into words."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable

MOST_SHOWN = 120  # letters of a value from params.yaml, a file or a name; what is longer loses its middle
MOST_LINE = 1000  # letters of one line

_short = reprlib.Repr()
_short.maxstring = _short.maxother = MOST_SHOWN
_short.maxlevel = 3


class PlateauError(Exception):
    """Something the user can mend; the message is one clear line."""

    @property
    def lines(self) -> tuple[str, ...]:
        """Returns one line for each mistake."""
        return (one_line(str(self)),)


class MistakesError(PlateauError):
    """Several things the user can mend, one clear line each."""

    def __init__(self, mistakes: Iterable[str]) -> None:
        self._lines = tuple(one_line(mistake) for mistake in mistakes)
        super().__init__("\n".join(self._lines))

    @property
    def lines(self) -> tuple[str, ...]:
        """Returns one line for each mistake."""
        return self._lines


def one_line(text: str) -> str:
    """Returns text as one line of at most MOST_LINE letters, without signs that could steer a terminal."""
    line = printable(" ".join(text.split()))
    half = (MOST_LINE - 5) // 2
    return line if len(line) <= MOST_LINE else f"{line[:half]} ... {line[-half:]}"


def printable(text: str) -> str:
    """Returns text with a sign that marks a gap in place of each one that is not printed."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


def shown(value: object) -> str:
    """Returns any value that YAML can hold as one line; a long one loses its middle."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    try:
        return _short.repr(value)
    except ValueError:  # Python writes no whole number of more than 4,300 digits
        return "a number of thousands of digits"
