"""The schedule is stepped once an epoch, at every step, or not at all."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from plateau_cause.capture.child.interventions.base import Intervention


class Schedule(Intervention):
    """Times the steps of torch's schedulers; settings: `every`, which is epoch, batch or never."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        super().__init__(name, settings)
        self._known: list[tuple[Any, Any]] = []  # scheduler and its own `step`
        self._depth = 0

    def install(self, torch: ModuleType) -> None:
        """Wraps `step` of every scheduler; what a scheduler calls within its own construction goes on."""
        for kind in vars(torch.optim.lr_scheduler).values():
            if isinstance(kind, type) and issubclass(kind, torch.optim.lr_scheduler.LRScheduler):
                for name in ("__init__", "step"):
                    if name in vars(kind):
                        self._wrap(kind, name)

    def _wrap(self, kind: Any, name: str) -> None:
        original = getattr(kind, name)

        def wrapped(scheduler: Any, *arguments: Any, **named: Any) -> Any:
            if name == "step" and not self._depth:
                self._remember(scheduler, original)
                self.times += 1
                return None
            self._depth += 1
            try:
                return original(scheduler, *arguments, **named)
            finally:
                self._depth -= 1

        wrapped.__wrapped__ = original  # type: ignore[attr-defined]
        setattr(kind, name, wrapped)

    def _remember(self, scheduler: Any, step: Any) -> None:
        if all(known is not scheduler for known, _ in self._known):
            self._known.append((scheduler, step))
            if self.settings["every"] == "batch":
                self._step()

    def after_step(self, optimizer: Any) -> None:
        """Steps what is to be stepped at every step."""
        if self.settings["every"] == "batch":
            self._step()

    def passed(self) -> None:
        """Steps what is to be stepped once an epoch."""
        if self.settings["every"] == "epoch":
            self._step()

    def _step(self) -> None:
        self._depth += 1
        try:
            for scheduler, step in self._known:
                step(scheduler)
        finally:
            self._depth -= 1


CHANGE = Schedule
