"""The report for a terminal: headline, verdict, a waterfall of blocks, the causes in their order."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from plateau_cause import numbers
from plateau_cause.report.sentences import place
from plateau_cause.report.view import advice, badge, by_standing, fix_yaml, pasteable, plateau_sentence
from plateau_cause.report.waterfall import Step, steps
from plateau_cause.report.wording import spoken, words

LABEL, VALUE = 24, 26  # columns beside a bar, at most
EIGHTHS = " ▏▎▍▌▋▊▉"  # of a column, from the left
FILLED = {"extrapolated": "░", "open": "·", "ceiling": "·"}  # what was not measured is not solid
ASCII = str.maketrans("█▋▊▉▏▎▍▌░·…×" + numbers.MINUS + numbers.ABSENT, "####    ~.~x--")


def render(summary: Mapping[str, Any], width: int = 80, plain: bool = False) -> str:
    """Returns the summary (the content of plateau_cause.json) as lines of at most `width` columns.

    Args:
        summary: as the schema has it.
        width: columns of the terminal, 60 or more.
        plain: ASCII only.
    """
    title, sentence = badge(summary)
    state = " ".join(filter(None, [f"{title}: {sentence}", plateau_sentence(summary)]))
    parts = [
        wrapped(summary["headline"], width),
        wrapped(state, width),
        "\n".join(waterfall(steps(summary), width)),
        _list(
            "Causes, the largest first", [_cause(cause) for cause in summary["causes"]], width, numbered=True
        ),
        *(_list(heading[0], _differences(entries), width) for heading, entries in by_standing(summary)),
        _list("What would settle it", summary.get("would_settle") or [], width),
        _list("Notes", summary.get("notes") or [], width),
    ]
    text = "\n\n".join(part for part in parts if part)
    return text.translate(ASCII) if plain else text


def waterfall(bars: Sequence[Step], width: int) -> list[str]:
    """Returns one line per step: label, bar from where it begins to where it ends, value."""
    label = min(LABEL, max(len(bar.label) for bar in bars))
    value = min(VALUE, max(len(bar.value) for bar in bars))
    columns = width - label - value - 4
    scale = columns / max(1.0, *(end for bar in bars for end in (bar.start, bar.end)))
    drawn = [block(bar.start * scale, bar.end * scale, columns, FILLED.get(bar.kind, "█")) for bar in bars]
    return [
        f"{shortened(bar.label, label):<{label}}  {blocks:<{columns}}  {bar.value:>{value}}"
        for bar, blocks in zip(bars, drawn, strict=True)
    ]


def block(start: float, end: float, columns: int, fill: str = "█") -> str:
    """Returns a bar between two places given in columns, to an eighth of one and at least so wide."""
    low, high = sorted((max(start, 0.0), max(end, 0.0)))
    first = min(int(low), columns - 1)
    if fill != "█":  # these have no eighths
        return " " * first + fill * max(1, round(high) - first)
    whole, eighths = divmod(max(1, round(8 * (high - first))), 8)
    return (" " * first + fill * whole + EIGHTHS[eighths]).rstrip()


def shortened(text: str, columns: int) -> str:
    """Returns the text, cut to so many columns."""
    return text if len(text) <= columns else text[: columns - 1] + "…"


def wrapped(text: str, width: int, first: str = "", rest: str = "") -> str:
    """Returns a paragraph, with what stands before its first line and the others."""
    return textwrap.fill(
        text,
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _cause(cause: Mapping[str, Any]) -> str:
    effect = numbers.points_with_interval(cause["effect"], cause["ci"])
    fix = cause.get("patch", "").rstrip("\n") or fix_yaml(pasteable(cause["fix"]))
    title = f"{place(cause)}{words(cause).title}"
    lines = [f"{title}: {effect} ({cause['cause']}, {cause['kind']})", *cause["evidence"]]
    if others := ", ".join(spoken(name) for name in cause.get("alternatives", ())):
        lines.insert(1, f"or any one of: {others}")
    lines += [f"Fix: {line}" for line in advice(cause["fix"])]
    return "\n".join([*lines, *([f"Fix:\n{textwrap.indent(fix, '  ')}"] if fix else [])])


def _differences(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        f"{spoken(entry['factor'])}: "
        + (
            "not swapped"
            if entry["effect"] is None
            else numbers.points_with_interval(entry["effect"], entry["ci"])
        )
        for entry in entries
    ]


def _list(title: str, entries: Sequence[str], width: int, numbered: bool = False) -> str:
    """Returns a heading and its entries; further lines of an entry stand below its first."""
    rows = []
    for number, entry in enumerate(entries, 1):
        mark = f"{number}. " if numbered else "- "
        for row, line in enumerate(entry.splitlines()):
            below = " " * len(mark)
            is_yaml = line.startswith("  ")
            rows.append(below + line if is_yaml else wrapped(line, width - 2, below if row else mark, below))
    return "\n".join([title, *(textwrap.indent(row, "  ") for row in rows)]) if rows else ""
