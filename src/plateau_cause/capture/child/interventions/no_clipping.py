"""Gradients are used as they are: nothing is clipped."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from plateau_cause.capture.child.interventions.base import Intervention


class NoClipping(Intervention):
    """Lets the clipping functions of torch measure, and clip nothing."""

    def install(self, torch: ModuleType) -> None:
        """Wraps both functions; scripts import them by name later."""
        norm, value = torch.nn.utils.clip_grad_norm_, torch.nn.utils.clip_grad_value_

        def clip_grad_norm_(parameters: Any, max_norm: Any, *arguments: Any, **named: Any) -> Any:
            self.times += 1
            return norm(parameters, float("inf"), *arguments, **named)

        def clip_grad_value_(parameters: Any, clip_value: Any, *arguments: Any, **named: Any) -> None:
            self.times += 1
            value(parameters, float("inf"), *arguments, **named)

        for module in (torch.nn.utils, torch.nn.utils.clip_grad):
            module.clip_grad_norm_ = clip_grad_norm_
            module.clip_grad_value_ = clip_grad_value_


CHANGE = NoClipping
