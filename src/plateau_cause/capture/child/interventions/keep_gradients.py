"""Gradients that would be cleared before the step that needs them are cleared behind it."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from plateau_cause.capture.child.interventions.base import Intervention


class KeepGradients(Intervention):
    """Puts clearing off between backward and step."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        super().__init__(name, settings)
        self._are_fresh = False  # computed, and not used by a step
        self._put_off = False

    def install(self, torch: ModuleType) -> None:
        """Wraps `zero_grad` of optimizers and modules."""
        for owner in (torch.optim.Optimizer, torch.nn.Module):
            self._wrap(owner)

    def _wrap(self, owner: Any) -> None:
        original = owner.zero_grad

        def zero_grad(cleared: Any, *arguments: Any, **named: Any) -> Any:
            if not self._are_fresh:
                return original(cleared, *arguments, **named)
            self._put_off = True
            return None

        owner.zero_grad = zero_grad

    def backward(self) -> None:
        """Notes that gradients are there."""
        self._are_fresh = True

    def after_step(self, optimizer: Any) -> None:
        """Clears what was put off."""
        self._are_fresh = False
        if self._put_off:
            self.times += 1
            self._put_off = False
            optimizer.zero_grad()


CHANGE = KeepGradients
