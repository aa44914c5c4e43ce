"""The line of a call in a user's file, where a framework tells no better."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from plateau_cause.capture.patches.source import Source, called, calls_of

Place = dict[str, Any] | None


def call_at(folder: Path, place: Place, name: str) -> Place:
    """Returns the line of the only call of a function, by its last name, in the file of a place.

    The place itself where the file has none, or several.
    """
    found = [] if place is None else [call.lineno for call in _calls(folder, place, name)]
    return {**place, "line": found[0]} if place and len(found) == 1 else place


def keyword_at(folder: Path, place: Place, names: Sequence[str]) -> Place:
    """Returns the line of the only argument of one of these names in the file of a place; else the place."""
    source = None if place is None else _source(folder, place)
    if place is None or source is None:
        return place
    words = [node for node in ast.walk(ast.parse(source.whole)) if isinstance(node, ast.keyword)]
    found = [node.value.lineno for node in words if node.arg in names]
    return {**place, "line": found[0]} if len(found) == 1 else place


def _calls(folder: Path, place: dict[str, Any], name: str) -> list[ast.Call]:
    source = _source(folder, place)
    return [] if source is None else [one for one in calls_of(source, name) if called(one) == name]


def _source(folder: Path, place: dict[str, Any]) -> Source | None:
    try:
        return Source((folder / place["file"]).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, SyntaxError):
        return None
