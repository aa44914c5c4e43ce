"""One change to a script, as the peek lists it and a replay makes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Possible:
    """One intervention, as `interventions` of peek.json lists it.

    Attributes:
        name: of the intervention.
        cause: the cause of the diagnosis that it tests.
        words: what the script does, one sentence with its lines.
        difference: what the script does instead of what, in short.
        location: `{"file": …, "line": …}`; None where it has no line.
        patch: a unified diff; None where the decision does not stand in plain sight.
        settings: what the peek measured for the intervention.
        prior: probability, before anything is run, that it matters.
        is_sure: whether it repairs a fault; else it is a change that may well make things worse.
        title, repair, explanation: in plain words, where those of the cause do not fit.
        cost: of a run with it, in runs without.
    """

    name: str
    cause: str
    words: str
    difference: str
    location: dict[str, Any] | None = None
    patch: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    prior: float = 0.8
    is_sure: bool = True
    title: str = ""
    repair: str = ""
    explanation: str = ""
    cost: float = 1.0


def listed(entries: list[dict[str, Any]]) -> list[Possible]:
    """Returns the entries of `interventions` in a peek.json; what they leave out has its default."""
    return [Possible(**{key: one[key] for key in Possible.__dataclass_fields__ if key in one})
            for one in entries]  # fmt: skip
