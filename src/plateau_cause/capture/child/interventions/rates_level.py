"""No group is trained at less than a part of the highest rate among all groups of its optimizer."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.child.interventions.base import Intervention


class RatesLevel(Intervention):
    """Raises rates while a step is taken; settings: `least`, a part of the highest rate."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        super().__init__(name, settings)
        self._own: list[Any] = []

    def before_step(self, optimizer: Any) -> None:
        """Sets the rates."""
        self._own = [group["lr"] for group in optimizer.param_groups]
        least = self.settings["least"] * max(self._own, default=0.0)
        for group, own in zip(optimizer.param_groups, self._own, strict=True):
            if own < least:
                group["lr"] = least
                self.times += 1

    def after_step(self, optimizer: Any) -> None:
        """Restores them."""
        for group, own in zip(optimizer.param_groups, self._own, strict=True):
            group["lr"] = own


CHANGE = RatesLevel
