"""Hooks that wait for a library: they are put in as soon as the script has imported it, and never before.

A script may set what a library reads on import (thread counts, devices); importing it for the script would
change what the script does.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

Action = Callable[[ModuleType], None]


class AfterImport(MetaPathFinder):
    """A finder that finds nothing itself, and calls an action when a named module has been imported."""

    def __init__(self) -> None:
        self._actions: dict[str, Action] = {}

    def when(self, name: str, action: Action) -> None:
        """Calls `action(module)` once, now or after the import of the module `name`."""
        if name in sys.modules:
            action(sys.modules[name])
        else:
            self._actions[name] = action

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Returns what the other finders find, with the action behind its execution."""
        if name not in self._actions:
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        found = (finder.find_spec(name, path, target) for finder in others if hasattr(finder, "find_spec"))
        specification = next((spec for spec in found if spec is not None), None)
        if specification is not None and specification.loader is not None:
            self._follow(name, specification.loader)
        return specification

    def _follow(self, name: str, loader: Any) -> None:
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            action = self._actions.pop(name, None)
            if action is not None:
                action(module)

        loader.exec_module = exec_module
