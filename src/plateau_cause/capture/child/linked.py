"""Links of a run's own folder to the user's files: what is written there becomes a file of the run's own.

A copy of a script's folder holds links where a copy would take long; see `capture/overlay.py`.
"""

from __future__ import annotations

import builtins
import functools
import io
import os
import shutil
from types import ModuleType
from typing import Any

WRITES, KEEPS = set("wxa+"), set("a+")  # letters of a mode: that write, that keep what is there


def install() -> None:
    """Has `open` write through no link."""
    original = builtins.open

    @functools.wraps(original)
    def opened(file: Any, mode: str = "r", *arguments: Any, **named: Any) -> Any:
        if isinstance(mode, str) and WRITES & set(mode):
            part(file, keeps=bool(KEEPS & set(mode)) and "w" not in mode)
        return original(file, mode, *arguments, **named)

    builtins.open = io.open = opened


def install_torch(torch: ModuleType) -> None:
    """Has `torch.save`, which writes past Python's `open`, write through no link."""
    original = torch.save

    @functools.wraps(original)
    def saves(content: Any, target: Any, *arguments: Any, **named: Any) -> Any:
        part(target)
        return original(content, target, *arguments, **named)

    torch.save = saves  # type: ignore[attr-defined]


def part(file: Any, keeps: bool = False) -> None:
    """Takes a link away, or puts a copy of what it leads to in its place.

    Args:
        file: what is about to be written, a path or anything else.
        keeps: whether what is there is kept.
    """
    if not isinstance(file, (str, os.PathLike)) or not os.path.islink(file):
        return
    target = os.path.realpath(file)
    os.unlink(file)
    if keeps and os.path.isfile(target):
        shutil.copyfile(target, file)
