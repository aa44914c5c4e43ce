"""A peek's files: two steps are no reason to write over a finished model; memory keeps what was saved."""

from __future__ import annotations

import functools
import os
import shutil
from types import ModuleType
from typing import Any

COPYING = ((shutil, "copyfile"), (shutil, "copy"), (shutil, "copy2"), (shutil, "move"),
           (os, "replace"), (os, "rename"))  # fmt: skip


def install(torch: ModuleType) -> None:
    """Has `torch.save` write no file; what is loaded or copied from there is what was given to it.

    What is saved into memory is saved: pickles of tensors are made so.
    """
    unsaved: dict[str, Any] = {}  # path → content, of tensors that live on
    save, load = torch.save, torch.load

    @functools.wraps(save)
    def saves(content: Any, target: Any, *arguments: Any, **named: Any) -> None:
        if _is_path(target):
            unsaved[os.path.realpath(target)] = content
        else:
            save(content, target, *arguments, **named)

    @functools.wraps(load)
    def loads(source: Any, *arguments: Any, **named: Any) -> Any:
        if _is_path(source) and os.path.realpath(source) in unsaved:
            return unsaved[os.path.realpath(source)]
        return load(source, *arguments, **named)

    torch.save, torch.load = saves, loads  # type: ignore[attr-defined]
    for owner, name in COPYING:
        setattr(owner, name, _but_of(unsaved, getattr(owner, name)))


def _is_path(given: Any) -> bool:
    return isinstance(given, (str, os.PathLike))


def _but_of(unsaved: dict[str, Any], copy: Any) -> Any:
    """Returns a function that copies, or moves, a file unless it is one of these."""

    @functools.wraps(copy)
    def copies(source: Any, target: Any, *arguments: Any, **named: Any) -> Any:
        if not _is_path(source) or os.path.realpath(source) not in unsaved:
            return copy(source, target, *arguments, **named)
        into = os.path.join(target, os.path.basename(source)) if os.path.isdir(target) else target
        unsaved[os.path.realpath(into)] = unsaved[os.path.realpath(source)]
        return into

    return copies
