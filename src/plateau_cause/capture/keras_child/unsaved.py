"""A peek's files: nothing is saved, and what is loaded from there is the model that was to be saved."""

from __future__ import annotations

import fnmatch
import os
import re
from typing import Any


class Unsaved:
    """Models by the path that they were to be saved to, as they train on."""

    def __init__(self) -> None:
        self._models: dict[str, Any] = {}
        self._patterns: list[str] = []

    def keep(self, path: Any, model: Any) -> None:
        """Notes that a model was to be saved."""
        if isinstance(path, (str, os.PathLike)):
            self._models[os.path.realpath(path)] = model
            self._patterns.append(re.sub(r"\{.*?\}", "*", os.path.realpath(path)))  # {epoch:02d}

    def of(self, path: Any) -> Any:
        """Returns the model that a path would hold; None where the script saved none there."""
        return self._models.get(os.path.realpath(path)) if isinstance(path, (str, os.PathLike)) else None

    def may_hold(self, path: Any) -> bool:
        """Returns whether the script may have meant to save this file: one of an epoch, by a pattern."""
        return any(fnmatch.fnmatch(os.path.realpath(path), f"{one}*") for one in self._patterns)
