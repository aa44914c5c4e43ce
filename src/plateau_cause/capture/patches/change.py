"""Changes to a user's file as unified diffs, where a decision stands there in plain sight.

Each function returns None where the line does not look as expected: a diff is shown only if it is certain to
apply and the file still parses after it.
"""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from plateau_cause.capture.patches.source import Edit, Source

Place = dict[str, Any] | None


def changed(folder: Path, place: Place, edit: Callable[[Source, int], list[Edit]]) -> str | None:
    """Returns the diff of an edit; None where the file cannot be read or would not parse."""
    if not place:
        return None
    try:
        text = (folder / place["file"]).read_text(encoding="utf-8")
        source = Source(text)
        edits = edit(source, place["line"])
        after = text
        for start, end, new in sorted(edits, reverse=True):
            after = after[:start] + new + after[end:]
        _compiles(after)
    except (OSError, UnicodeDecodeError, SyntaxError):
        return None
    name = place["file"]
    lines = difflib.unified_diff(text.splitlines(True), after.splitlines(True), f"a/{name}", f"b/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines) or None


def _compiles(text: str) -> None:
    """Raises SyntaxError where Python would not run it, an argument given twice included."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the user's own text
        compile(text, "patched", "exec", dont_inherit=True)
