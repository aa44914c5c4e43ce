"""Gradients reach the whole model: no `detach`, `no_grad` or the like between layers of what trains."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from plateau_cause.capture.child.call import Call
from plateau_cause.capture.child.interventions.base import Intervention


class LetFlow(Intervention):
    """Ignores both from a training batch to its backward call; settings: `parts`, how many the model has.

    What the script does to the output of the last part is its own affair: metrics are detached.
    """

    reaches_network = True

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        super().__init__(name, settings)
        self._outputs: list[Any] = []  # of the parts called for this batch
        self._waits = False  # for the backward call of a training batch

    def install(self, torch: ModuleType) -> None:
        """Wraps `Tensor.detach` and the contexts without gradients."""
        tensor_class, context_class = torch.Tensor, torch.no_grad
        detach, enter = tensor_class.detach, context_class.__enter__

        def detached(tensor: Any) -> Any:
            if not self._waits or not self._is_between(tensor):
                return detach(tensor)
            self.times += 1
            return tensor

        def __enter__(context: Any) -> None:  # noqa: N807
            if self._let():
                context.prev = torch.is_grad_enabled()
            else:
                enter(context)

        tensor_class.detach = detached
        context_class.__enter__ = __enter__
        self._keep_enabled(torch.set_grad_enabled, torch.inference_mode)

    def _keep_enabled(self, flag: Any, inference: Any) -> None:
        """Has `set_grad_enabled(False)` and `inference_mode()` leave gradients on."""
        initialize, enter = flag.__init__, inference.__enter__

        def __init__(made: Any, mode: bool) -> None:  # noqa: N807
            initialize(made, mode or self._let())

        def __enter__(context: Any) -> None:  # noqa: N807
            context.mode = context.mode and not self._let()
            enter(context)

        flag.__init__, inference.__enter__ = __init__, __enter__

    def _let(self) -> bool:
        """Returns whether gradients flow here whatever the script says, and counts it."""
        lets = self._waits and not self.changes.doors.hooks.paused
        self.times += lets
        return lets

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

    def passed(self) -> None:
        """Ends what belongs to training: an evaluation may follow."""
        self._waits = False


CHANGE = LetFlow
