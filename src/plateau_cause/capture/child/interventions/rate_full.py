"""Every step is taken at the full rate: the one that the optimizer was built with, or a schedule leads to."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.child.interventions.rate import Rate, with_rates


class RateFull(Rate):
    """Leaves out warm-ups and schedules while a step is taken, whoever writes the rates.

    The full rate is the highest of a group's first step, of what it was built with and of what a schedule
    that rises is told.
    """

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        super().__init__(name, settings)
        self._first: dict[int, tuple[Any, float]] = {}  # of each group, which is kept: none gets its identity

    def before_step(self, optimizer: Any) -> None:
        """Sets the rates."""
        self._own = [group["lr"] for group in with_rates(optimizer)]
        for group, own in zip(with_rates(optimizer), self._own, strict=True):
            _, first = self._first.setdefault(id(group), (group, own))
            group["lr"] = max(own, first, *(group.get(name) or 0.0 for name in ("initial_lr", "max_lr")))
            self.times += group["lr"] != own


CHANGE = RateFull
