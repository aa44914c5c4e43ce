"""The terminal: how wide it is, what it can show, and nothing in the text that could steer it."""

from __future__ import annotations

import shutil
import sys

import click

NARROW, WIDE = 60, 100  # columns between which a report is laid out


def width() -> int:
    """Returns the columns to lay text out in."""
    return min(max(shutil.get_terminal_size((80, 24)).columns, NARROW), WIDE)


def is_plain() -> bool:
    """Returns whether only ASCII can be shown."""
    try:
        "█▏−—→×".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return True
    return False


def safe(text: str) -> str:
    """Returns the text without control characters: names come from data and may hold escape sequences."""
    return "".join(
        sign if sign == "\n" or sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text
    )


def show(text: str) -> None:
    """Prints text that may hold names from data."""
    click.echo(safe(text))
