"""The doors of chance: seeds that the script sets."""

from __future__ import annotations

import random
from types import ModuleType
from typing import Any

from plateau_cause.capture.child.hooks import Hooks
from plateau_cause.capture.child.places import Place, here


class Seeding:
    """Listens to `random.seed`, `numpy.random.seed` and `torch.manual_seed`."""

    def __init__(self, hooks: Hooks) -> None:
        self.hooks = hooks
        self.seeds: dict[str, tuple[Any, Place | None]] = {}

    def install_python(self) -> None:
        """Puts the listener on Python's own generator in."""
        self._follow(random, "seed", "random")

    def install_numpy(self, numpy: ModuleType) -> None:
        """Puts the listener in; `numpy` has just been imported."""
        self._follow(numpy.random, "seed", "numpy")

    def install_torch(self, torch: ModuleType) -> None:
        """Puts the listener in; `torch` has just been imported."""
        self._follow(torch, "manual_seed", "torch")

    def _follow(self, owner: Any, name: str, library: str) -> None:
        def seeded(*arguments: Any, **named: Any) -> None:
            place = here()
            if place is not None and (arguments or named):
                self.seeds[library] = ([*arguments, *named.values()][0], place)

        self.hooks.before(owner, name, seeded)
