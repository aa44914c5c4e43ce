"""Class names that may be meant as one: they differ in case, spaces, or in how a number is written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

SHOWN = 3  # groups of names that are said


def doubts(labels: Iterable[str], key: str = "data") -> list[str]:
    """Returns a line for each group of class names that look like one, the first few only.

    Args:
        labels: class names, in any order, with repeats.
        key: section of params.yaml, for messages.
    """
    alike: dict[str, list[str]] = defaultdict(list)
    for label in sorted(set(labels)):
        alike[_bare(label)].append(label)
    groups = [names for names in alike.values() if len(names) > 1]
    lines = [f"{key}: {_listed(names)} are separate classes; were they meant as one?" for names in groups]
    rest = len(lines) - SHOWN
    return lines[:SHOWN] + ([f"{key}: {rest} more groups of classes look like one each"] if rest > 0 else [])


def _listed(names: list[str]) -> str:
    return f"{', '.join(repr(name) for name in names[:-1])} and {names[-1]!r}"


def _bare(label: str) -> str:
    """Returns what is left of a name without case, outer spaces, and the zeros that a number may have."""
    text = " ".join(label.casefold().split())
    try:
        return repr(float(text)) if text[:1].isdigit() else text
    except ValueError:
        return text
