"""plateau diagnose --apply: the repaired copy of a script, beside it and never over it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@")


def fixed_copies(folder: Path, summary: Mapping[str, Any]) -> Iterator[str]:
    """Writes `<name>.fixed.py` for every file that a cause's patch changes; yields a line for each.

    Args:
        folder: where the script runs; patches name files relative to it.
        summary: the content of plateau_cause.json.
    """
    patches: dict[str, list[str]] = {}
    for cause in summary["causes"]:
        if cause.get("patch"):
            patches.setdefault(cause["location"]["file"], []).append(cause["patch"])
    for name, found in patches.items():
        path = folder / name
        text = applied(path.read_text(encoding="utf-8"), found)
        copy = path.with_name(f"{path.stem}.fixed{path.suffix}")
        copy.write_text(text, encoding="utf-8")
        yield f"wrote {copy}: {len(found)} of {len(summary['causes'])} causes repaired"
    if not patches:
        yield "wrote nothing: no cause stands in plain sight"


def applied(text: str, patches: list[str]) -> str:
    """Returns a text after unified diffs that were all made against it; later lines are changed first."""
    lines = text.splitlines(keepends=True)
    hunks = [hunk for patch in patches for hunk in _hunks(patch)]
    for start, before, after in sorted(hunks, key=lambda hunk: -hunk[0]):
        lines[start : start + before] = after
    return "".join(lines)


def _hunks(patch: str) -> Iterator[tuple[int, int, list[str]]]:
    """Yields where each change begins (from 0), how many lines it replaces, and by what; without context."""
    place, removed, added = 0, 0, list[str]()
    for line in [*patch.splitlines(keepends=True)[2:], " "]:
        header = HUNK.match(line)
        if line[0] in "-+" and not header:
            removed += line[0] == "-"
            added += [line[1:]] if line[0] == "+" else []
            continue
        if removed or added:
            yield place, removed, added
            place, removed, added = place + removed, 0, []
        place = int(header[1]) - (0 if header[2] == "0" else 1) if header else place + 1
