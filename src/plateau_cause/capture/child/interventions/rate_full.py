"""Every step is taken at the full rate: the one that the optimizer was built with, or a schedule leads to."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.child.interventions.rate import Rate


class RateFull(Rate):
    """Leaves out warm-ups and schedules while a step is taken, whoever writes the rates."""

    def before_step(self, optimizer: Any) -> None:
        """Sets the rates."""
        self._own = [group["lr"] for group in optimizer.param_groups]
        for group, own in zip(optimizer.param_groups, self._own, strict=True):
            group["lr"] = max(own, *(group.get(name) or 0.0 for name in ("initial_lr", "max_lr")))
            self.times += group["lr"] != own


CHANGE = RateFull
