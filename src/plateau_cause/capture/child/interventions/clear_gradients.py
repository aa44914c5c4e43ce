"""Gradients are cleared behind every step."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.child.interventions.base import Intervention


class ClearGradients(Intervention):
    """Clears what an optimizer holds once it has used it."""

    def after_step(self, optimizer: Any) -> None:
        """Clears the gradients."""
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                self.times += parameter.grad is not None
                parameter.grad = None


CHANGE = ClearGradients
