"""What a trial finds, gathered line by line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from plateau_cause.errors import PlateauError, one_line

T = TypeVar("T")


class Findings:
    """Mistakes and notes, each a clear line.

    Attributes:
        mistakes: what stops a diagnosis.
        notes: what does not stop it and should be known.
    """

    def __init__(self, mistakes: Iterable[str] = ()) -> None:
        self.mistakes = list(mistakes)
        self.notes: list[str] = []

    def touches(self, key: str) -> bool:
        """Returns whether a mistake was found in this key or section."""
        return any(line.startswith((f"{key}.", f"{key}:")) for line in self.mistakes)

    def wrong(self, line: str) -> None:
        """Adds a mistake."""
        self.mistakes.append(one_line(line))

    def tried(self, action: Callable[[], T]) -> T | None:
        """Returns what the action returns; where it fails, its lines are mistakes and None comes back.

        What fails in another way is a fault of this program, not of the user's: noted, and nothing stops.
        """
        try:
            return action()
        except PlateauError as error:
            self.mistakes += error.lines
        except Exception as error:
            self.notes.append(one_line(f"this could not be tried: {type(error).__name__}: {error}"))
        return None
