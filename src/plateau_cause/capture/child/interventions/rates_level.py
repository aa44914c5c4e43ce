"""No group is trained at less than a part of the highest rate among all groups of its optimizer."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.child.interventions.rate import Rate


class RatesLevel(Rate):
    """Raises rates while a step is taken; settings: `least`, a part of the highest rate."""

    def acting(self, own: list[Any]) -> list[Any]:
        """Returns the rates of the groups while a step is taken."""
        return [max(rate, self.settings["least"] * max(own)) for rate in own]


CHANGE = RatesLevel
