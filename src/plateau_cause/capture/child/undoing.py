"""What stood before an activation: the tensor that a softmax, sigmoid or ReLU was given."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from plateau_cause.capture.child.doors.losing import ACTIVATIONS, MODULES

KEPT = 4  # activations of small outputs; the one before the loss is among the last


@dataclass
class Applied:
    """An activation that was applied; holds its tensors, so that no address is given out twice."""

    function: str
    given: Any
    result: Any


class Undoing:
    """Remembers the last activations of tensors with one or two dimensions."""

    def __init__(self) -> None:
        self._applied: deque[Applied] = deque(maxlen=KEPT)

    def install(self, torch: ModuleType) -> None:
        """Wraps the functions and modules of torch."""
        for name in ACTIVATIONS:
            for owner in (torch.nn.functional, torch, torch.Tensor):
                self._follow(owner, name, name, given=0)
        for kind, name in MODULES.items():
            self._follow(getattr(torch.nn, kind), "forward", name, given=1)

    def _follow(self, owner: Any, attribute: str, name: str, given: int) -> None:
        original = getattr(owner, attribute)

        def applied(*arguments: Any, **named: Any) -> Any:
            result = original(*arguments, **named)
            if result.ndim <= 2 and len(arguments) > given and arguments[given] is not result:
                self._applied.append(Applied(name, arguments[given], result))
            return result

        setattr(owner, attribute, applied)

    def before(self, output: Any) -> Applied | None:
        """Returns the activation whose result this is, reshaped or not; the outermost of several wins."""
        alike = [one for one in self._applied if one.result.data_ptr() == output.data_ptr()]
        fitting = [one for one in alike if one.result.numel() == output.numel()]
        return fitting[-1] if fitting else None
