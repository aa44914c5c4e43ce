"""Gradients reach the whole model: no `detach` and no `no_grad` between the layers of what trains."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from plateau_cause.capture.child.call import Call
from plateau_cause.capture.child.interventions.base import Intervention


class LetFlow(Intervention):
    """Ignores both from a training batch to its backward call; settings: `parts`, how many the model has.

    What the script does to the output of the last part is its own affair: metrics are detached.
    """

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        super().__init__(name, settings)
        self._outputs: list[Any] = []  # of the parts called for this batch
        self._waits = False  # for the backward call of a training batch

    def install(self, torch: ModuleType) -> None:
        """Wraps `Tensor.detach` and the context `no_grad`."""
        tensor_class, context_class = torch.Tensor, torch.no_grad
        detach, enter = tensor_class.detach, context_class.__enter__

        def detached(tensor: Any) -> Any:
            if not self._waits or not self._is_between(tensor):
                return detach(tensor)
            self.times += 1
            return tensor

        def __enter__(context: Any) -> None:  # noqa: N807
            if self._waits and not self.changes.doors.hooks.paused:
                self.times += 1
                context.prev = torch.is_grad_enabled()
            else:
                enter(context)

        tensor_class.detach = detached
        context_class.__enter__ = __enter__

    def _is_between(self, tensor: Any) -> bool:
        if self.changes.call is not None:
            return not self.changes.doors.hooks.paused
        is_earlier = len(self._outputs) < self.settings.get("parts", 1)
        return is_earlier and any(tensor is one for one in self._outputs)

    def fetched(self) -> None:
        """Begins a batch."""
        self._outputs.clear()
        self._waits = self.changes.is_in_training

    def returned(self, call: Call, output: Any) -> Any:
        """Keeps what a part of the model returned."""
        if self._waits and next(call.module.parameters(), None) is not None:
            self._outputs.append(output)
        return output

    def backward(self) -> None:
        """Ends what belongs to the batch: its gradients are there."""
        self._waits = False


CHANGE = LetFlow
