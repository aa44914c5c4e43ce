"""Weights are not pulled towards zero."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.child.interventions.base import Intervention

DECAY = "weight_decay"


class NoDecay(Intervention):
    """Sets the decay of every group to none while a step is taken."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        super().__init__(name, settings)
        self._own: list[Any] = []

    def before_step(self, optimizer: Any) -> None:
        """Sets the decays."""
        self._own = [(group, group[DECAY]) for group in optimizer.param_groups if group.get(DECAY)]
        for group, _ in self._own:
            group[DECAY] = 0.0
        self.times += len(self._own)

    def after_step(self, optimizer: Any) -> None:
        """Restores them."""
        for group, own in self._own:
            group[DECAY] = own


CHANGE = NoDecay
