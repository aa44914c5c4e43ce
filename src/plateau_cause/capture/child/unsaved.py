"""A peek's files: two steps are no reason to write over a finished model, nor to copy what none wrote."""

from __future__ import annotations

import functools
import os
import shutil
from types import ModuleType
from typing import Any

COPYING = ((shutil, "copyfile"), (shutil, "copy"), (shutil, "copy2"), (shutil, "move"),
           (os, "replace"), (os, "rename"))  # fmt: skip


def install(torch: ModuleType) -> None:
    """Has `torch.save` write no file, and copies of what it did not write do nothing.

    What is saved into memory is saved: pickles of tensors are made so.
    """
    unsaved: set[str] = set()
    save: Any = torch.save

    @functools.wraps(save)
    def saves(content: Any, target: Any, *arguments: Any, **named: Any) -> None:
        if isinstance(target, (str, os.PathLike)):
            unsaved.add(os.path.realpath(target))
        else:
            save(content, target, *arguments, **named)

    torch.save = saves  # type: ignore[attr-defined]
    for owner, name in COPYING:
        setattr(owner, name, _but_of(unsaved, getattr(owner, name)))


def _but_of(unsaved: set[str], copy: Any) -> Any:
    """Returns a function that copies, or moves, a file unless it is one of these."""

    @functools.wraps(copy)
    def copies(source: Any, target: Any, *arguments: Any, **named: Any) -> Any:
        if isinstance(source, (str, os.PathLike)) and os.path.realpath(source) in unsaved:
            return target
        return copy(source, target, *arguments, **named)

    return copies
