"""One of the loaders of a script, wherever its line builds it again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plateau_cause.capture.child.passes import Loader


class OneLoader:
    """The how-manyth loader that the script builds, and what its line builds in that one's place.

    A line may build several at a time (of training and of validation) and do so again, for another fold or in
    every epoch. How many it builds at a time is known when the first is read.

    Args:
        number: of the loader, from 0.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        self._together = 0

    def is_read(self, loader: Any, known: Sequence[Loader]) -> None:
        """Takes note that a loader is read."""
        if self._number < len(known) and known[self._number].loader is loader:
            self._together = self._together or len(self._of_line(known))

    def is_it(self, loader: Any, known: Sequence[Loader]) -> bool:
        """Returns whether a loader is the one that is meant, or in its place."""
        if self._number >= len(known):
            return False
        first, of_line = known[self._number].loader, self._of_line(known)
        if first is loader:
            return True
        place = next((place for place, one in enumerate(of_line) if one is loader), None)
        if place is None or not self._together:
            return False
        mine = next(place for place, one in enumerate(of_line) if one is first)
        return place % self._together == mine % self._together

    def _of_line(self, known: Sequence[Loader]) -> list[Any]:
        first = known[self._number]
        return [one.loader for one in known if one is first or (first.place and one.place == first.place)]
