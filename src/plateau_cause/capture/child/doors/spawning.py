"""The door of other processes: what trains there is out of sight."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from plateau_cause.capture.child.course import Course
from plateau_cause.capture.child.doors.hooks import Hooks
from plateau_cause.capture.child.places import Place, here

OTHERS = ("tensorflow", "jax", "paddle", "mxnet")  # libraries that train without PyTorch


class Spawning:
    """Listens to `torch.multiprocessing.spawn`."""

    def __init__(self, hooks: Hooks, course: Course) -> None:
        self.hooks, self.course = hooks, course
        self.place: Place | None = None

    def install(self, torch: ModuleType) -> None:
        """Puts the listeners in; `torch` has just been imported."""
        for name in ("spawn", "start_processes"):
            self.hooks.before(torch.multiprocessing, name, self._spawned)

    def seen(self) -> dict[str, Any]:
        """Returns what tells why no training was seen; see capture/untrained.py."""
        return {"backward_calls": self.course.backwards, "calls": self.course.calls, "spawned_at": self.place,
                "libraries": [name for name in OTHERS if name in sys.modules]}  # fmt: skip

    def _spawned(self, *_: Any, **__: Any) -> None:
        self.place = here()
        self.course.mode.spawned()
