"""Where in the user's own files something was decided."""

from __future__ import annotations

import os
import sys
import sysconfig
import weakref
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any, Generic, NamedTuple, TypeVar

OWN = str(Path(__file__).resolve().parents[2]) + os.sep
LIBRARY = str(Path(sysconfig.get_path("stdlib")).resolve()) + os.sep
INSTALLED = ("site-packages", "dist-packages")
IMPORTING = "<frozen importlib._bootstrap>"
GENERATED = "__autograph_generated_file"  # what TensorFlow makes of a function that it turns into a graph


class Place(NamedTuple):
    """A line in one of the user's files."""

    file: str  # as Python knows it: relative to the folder that the script runs in, or absolute
    line: int


@cache
def is_users(file: str) -> bool:
    """Returns whether a file is the user's: no library's, not Python's, not plateau's."""
    if file.startswith("<") or os.path.basename(file).startswith(GENERATED):
        return False
    path = os.path.realpath(file)
    return not path.startswith((OWN, LIBRARY)) and not any(part in path.split(os.sep) for part in INSTALLED)


def frame_here(built: object = None) -> FrameType | None:
    """Returns the innermost frame that runs the user's code.

    Args:
        built: an object whose construction is under way: the frames of its own `__init__` are passed over,
            so that the line is the one that asked for the object.
    """
    return frame_here_from(sys._getframe(1), built)


def frame_here_from(frame: FrameType | None, built: object = None) -> FrameType | None:
    """Returns the innermost frame of the user's code at or around a frame; none within an import."""
    while frame is not None and frame.f_code.co_filename != IMPORTING:
        if is_users(frame.f_code.co_filename) and not (built is not None and _constructs(frame, built)):
            return frame
        frame = frame.f_back
    return None


def here(built: object = None) -> Place | None:
    """Returns the line of the user's code that is running; None where only libraries are."""
    return place_of(frame_here(built))


def place_of(frame: FrameType | None) -> Place | None:
    """Returns the line that a frame is at."""
    return None if frame is None else Place(frame.f_code.co_filename, frame.f_lineno)


def _constructs(frame: FrameType, built: object) -> bool:
    code = frame.f_code
    if code.co_name != "__init__" or code.co_argcount == 0:
        return False
    return frame.f_locals.get(code.co_varnames[0]) is built


T = TypeVar("T")


class Registry(Generic[T]):
    """Something by object, without keeping the objects alive and without asking them to be hashable."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[weakref.ref[Any], T | None]] = {}

    def remember(self, built: Any, found: T | None) -> None:
        """Keeps something of an object; the last one holds."""
        key = id(built)
        self._kept[key] = (weakref.ref(built, lambda _: self._kept.pop(key, None)), found)

    def of(self, built: Any) -> T | None:
        """Returns what is kept of an object; None where it has none."""
        kept = self._kept.get(id(built))
        return kept[1] if kept is not None and kept[0]() is built else None

    def known(self) -> list[Any]:
        """Returns the objects that something is kept of and that are still there."""
        found = [kept[0]() for kept in self._kept.values()]
        return [one for one in found if one is not None]
