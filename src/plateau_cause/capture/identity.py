"""What decides what a replay of a script gives, as one digest."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path

from plateau_cause import imports
from plateau_cause.capture import overlay
from plateau_cause.capture.launch import Script

CHILDREN = Path(__file__).parent  # the code that runs in the user's interpreter is in folders within


def identity(given: Script) -> str:
    """Returns what decides what a replay gives besides its interventions and seed, as one digest.

    That is the script and what it imports from its own folder, its arguments, the files beside it and those
    that its arguments name (by name, size and time), the interpreter, and the code that replays.
    """
    folder = given.folder.resolve()
    start = folder / (given.target.replace(".", "/") if given.is_module else given.target)
    files = [path for path in (start, start.with_suffix(".py"), start / "__main__.py") if path.is_file()]
    code = {str(path): path.read_bytes() for path in imports.closure(files, folder)}
    named = [folder / one for one in given.arguments if (folder / one).exists()]
    above = [path for path, _ in overlay.beside(folder, given.arguments)]
    beside = sorted({line for place in [folder, *named, *above] for line in _listed(place)})
    found = hashlib.sha256()
    for name, text in sorted(code.items()):
        found.update(f"{name}\n".encode() + text)
    found.update(json.dumps([given.target, given.arguments, given.python, beside]).encode())
    for path in sorted(CHILDREN.glob("*child/**/*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()


def _listed(place: Path) -> list[str]:
    """Returns a line for each file that is not code: its path, size and time; each folder is read once.

    What is being written to is no part of it: the log of this very command may lie beside the script.
    """
    if place.is_file():
        return [_line(place)]
    lines, read, logs = [], set[str](), _logs()
    for root, folders, names in os.walk(place, followlinks=True):
        folders[:] = [one for one in folders if not overlay.is_left_out(one)]
        if (real := os.path.realpath(root)) in read:
            folders.clear()
            continue
        read.add(real)
        paths = [Path(root) / name for name in names if not name.endswith((".py", ".pyc"))]
        lines += [_line(path) for path in paths if path.is_file() and _identity(path.stat()) not in logs]
    return lines


def _logs() -> set[tuple[int, int]]:
    """Returns the files that standard output and standard error are."""
    found = set()
    for number in (1, 2):
        with suppress(OSError):
            found.add(_identity(os.fstat(number)))
    return found


def _identity(about: os.stat_result) -> tuple[int, int]:
    return about.st_dev, about.st_ino


def _line(path: Path) -> str:
    about = path.stat()
    return f"{path} {about.st_size} {about.st_mtime_ns}"
