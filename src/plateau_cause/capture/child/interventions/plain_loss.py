"""The loss has no weights of classes, or smooths no labels."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

from plateau_cause.capture.child.interventions.base import Intervention

PLAIN = {"weight": None, "label_smoothing": 0.0}
LOSSES = ("cross_entropy", "nll_loss")


class PlainLoss(Intervention):
    """Leaves an argument of torch's losses out, whoever calls them. Settings: `argument`, one of PLAIN."""

    def install(self, torch: ModuleType) -> None:
        """Wraps the losses."""
        for name in LOSSES:
            self._wrap(torch.nn.functional, name)

    def _wrap(self, functional: Any, name: str) -> None:
        original = getattr(functional, name)
        signature = inspect.signature(original)

        def loss(*arguments: Any, **named: Any) -> Any:
            bound = signature.bind(*arguments, **named)
            key = self.settings["argument"]
            if _is_given(bound.arguments.get(key)):
                bound.arguments[key] = PLAIN[key]
                self.times += 1
            return original(*bound.args, **bound.kwargs)

        setattr(functional, name, loss)


def _is_given(value: Any) -> bool:
    return value is not None and (hasattr(value, "shape") or bool(value))


CHANGE = PlainLoss
