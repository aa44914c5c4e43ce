"""An observation: a fact about a script that can hold its accuracy back, with the line that decides it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Observation:
    """A fact, not a cause: whether it costs accuracy is for the diagnosis to measure.

    Attributes:
        code: its stable name, such as `gradients_not_cleared`.
        cause: the cause of the diagnosis that tests it, such as `training_loop`.
        words: one sentence with the lines it speaks of.
        location: `{"file": …, "line": …}`; None where the fact has no line.
        patch: a unified diff against the user's file; None where the decision does not stand in plain sight.
    """

    code: str
    cause: str
    words: str
    location: dict[str, Any] | None = None
    patch: str | None = None


@dataclass(frozen=True)
class Peeked:
    """A peek and the folder that its files are relative to."""

    content: dict[str, Any]
    folder: Path

    @property
    def model(self) -> dict[str, Any]:
        """Returns the part about the model."""
        found: dict[str, Any] = self.content["model"]
        return found

    @property
    def train_loader(self) -> dict[str, Any] | None:
        """Returns the loader that training reads."""
        return next((one for one in self.content["loaders"] if one["role"] == "train"), None)

    @property
    def other_loaders(self) -> list[dict[str, Any]]:
        """Returns the loaders that training does not read."""
        return [one for one in self.content["loaders"] if one["role"] != "train"]


def at(place: dict[str, Any] | None) -> str:
    """Returns `train.py:41`, or nothing."""
    return f"{place['file']}:{place['line']}" if place else ""


def with_places(words: str, *places: dict[str, Any] | None) -> str:
    """Returns a sentence followed by its lines, each said once."""
    said = list(dict.fromkeys(at(place) for place in places if place))
    return f"{words} ({', '.join(said)})" if said else words
