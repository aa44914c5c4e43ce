"""The doors of chance: seeds that the script sets, and the one that a replay begins with."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from types import ModuleType
from typing import Any

from plateau_cause.capture.child.doors.hooks import Hooks
from plateau_cause.capture.child.places import Place, here

APART = 1_000_003  # what one replay's seed adds to a script's own


class Seeding:
    """Listens to `random.seed`, `numpy.random.seed` and `torch.manual_seed`.

    In a replay every generator begins at the replay's seed; the seeds that the script sets itself hold under
    seed 0, and are moved by any other. Generators of its own, which split data, are left alone.
    """

    def __init__(self, hooks: Hooks, first: int | None = None) -> None:
        self.hooks = hooks
        self.seeds: dict[str, tuple[Any, Place | None]] = {}
        self.is_aside: Callable[[], bool] = lambda: False  # whether a library sets seeds for its own ends now
        self._first = first  # the seed of a replay

    def install_python(self) -> None:
        """Puts the listener on Python's own generator in."""
        self._begin(random.seed)
        self._follow(random, "seed", "random")

    def install_numpy(self, numpy: ModuleType) -> None:
        """Puts the listener in; `numpy` has just been imported."""
        self._begin(numpy.random.seed)
        self._follow(numpy.random, "seed", "numpy")

    def install_torch(self, torch: ModuleType) -> None:
        """Puts the listener in; `torch` has just been imported."""
        self._begin(torch.manual_seed)
        self._follow(torch, "manual_seed", "torch")

    def install_keras(self, keras: ModuleType) -> None:
        """Puts the listener on `keras.utils.set_random_seed` in; `keras` has just been imported."""
        self._follow(keras.utils, "set_random_seed", "keras")

    def _begin(self, set_seed: Any) -> None:
        if self._first is not None:
            set_seed(self._first)

    def _follow(self, owner: Any, name: str, library: str) -> None:
        def seeded(*arguments: Any, **named: Any) -> None:
            place = here()
            if place is not None and (arguments or named) and not self.is_aside():
                self.seeds[library] = ([*arguments, *named.values()][0], place)

        if self._first:
            self._move(owner, name)
        self.hooks.before(owner, name, seeded)

    def _move(self, owner: Any, name: str) -> None:
        """Has the function that sets a seed add the replay's own."""
        original, added = getattr(owner, name), APART * (self._first or 0)

        @functools.wraps(original)
        def moved(*arguments: Any, **named: Any) -> Any:
            given = [*arguments, *named.values()]
            if self.hooks.paused or len(given) != 1 or not isinstance(given[0], int):
                return original(*arguments, **named)
            return original((given[0] + added) % 2**32)

        setattr(owner, name, moved)
