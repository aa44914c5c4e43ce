"""The line where a user's file writes what a call is given by a name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from plateau_cause.capture.patches.source import Source

Place = dict[str, Any] | None


def assigned_at(folder: Path, place: Place, argument: str) -> Place:
    """Returns the last line before a call that writes the variable which the call is given by this name.

    The call's own place where it is given no variable, or none that the file writes above. A variable may
    stand within what is given: `weight=counts.to(device)`.

    Args:
        folder: where the script runs.
        place: of the call; None is given back.
        argument: its name in the call.
    """
    if not place:
        return place
    try:
        source = Source((folder / place["file"]).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, SyntaxError):
        return place
    given = [word.value for call in source.at(place["line"], ast.Call) for word in call.keywords
             if word.arg == argument]  # fmt: skip
    names = [one.id for value in given for one in ast.walk(value) if isinstance(one, ast.Name)]
    written = [line for name, line in _written(source.whole) if name in names and line < place["line"]]
    return {**place, "line": max(written)} if written else place


def _written(text: str) -> Iterator[tuple[str, int]]:
    """Yields the variables that assignments write, as a whole or one entry of them, with their lines."""
    for node in ast.walk(ast.parse(text)):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if not isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
            continue
        for one in targets:
            inner = one.value if isinstance(one, ast.Subscript) else one
            if isinstance(inner, ast.Name):
                yield inner.id, node.lineno
