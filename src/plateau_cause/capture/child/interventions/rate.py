"""Every step is taken at a multiple of the script's own rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plateau_cause.capture.child.interventions.base import Intervention


class Rate(Intervention):
    """Multiplies the rates while a step is taken; settings: `times`. Schedules see the script's own."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        super().__init__(name, settings)
        self._own: list[Any] = []

    def before_step(self, optimizer: Any) -> None:
        """Sets the rates."""
        self._own = [group["lr"] for group in with_rates(optimizer)]
        for group, own, now in zip(with_rates(optimizer), self._own, self.acting(self._own), strict=True):
            group["lr"] = now
            self.times += now != own

    def acting(self, own: list[Any]) -> list[Any]:
        """Returns the rates of the groups while a step is taken."""
        return [rate * self.settings["times"] for rate in own]

    def after_step(self, optimizer: Any) -> None:
        """Restores them."""
        for group, own in zip(with_rates(optimizer), self._own, strict=True):
            group["lr"] = own


def with_rates(optimizer: Any) -> Sequence[dict[str, Any]]:
    """Returns what holds the rate of each group: fastai keeps it apart from the parameters."""
    found: Sequence[dict[str, Any]] = getattr(optimizer, "hypers", None) or optimizer.param_groups
    return found


CHANGE = Rate
