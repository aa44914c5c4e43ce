"""The loss is given what it expects: plain outputs where a softmax, sigmoid or ReLU stood before it."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

from plateau_cause.capture.child.call import Call
from plateau_cause.capture.child.doors.losing import form
from plateau_cause.capture.child.interventions.base import Intervention
from plateau_cause.capture.child.undoing import Undoing

LEAST = 1e-30  # probabilities below have no logarithm in single precision


class LogitsToLoss(Intervention):
    """Undoes the activation: its own input where it was seen, its inverse function else."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        super().__init__(name, settings)
        self._undoing = Undoing()

    def install(self, torch: ModuleType) -> None:
        """Wraps activations and losses."""
        functional: Any = torch.nn.functional
        self._undoing.install(torch)
        for owner in (functional, torch, torch.Tensor):
            self._wrap_softmax(owner)
        self._wrap(functional, "cross_entropy", self._logits)
        self._wrap(functional, "nll_loss", self._log_probabilities)
        self._wrap(functional, "kl_div", self._log_probabilities)
        self._wrap(functional, "binary_cross_entropy_with_logits", self._logits)

    def _wrap(self, functional: Any, name: str, meant: Any) -> None:
        original = getattr(functional, name)
        signature = inspect.signature(original)

        def loss(*arguments: Any, **named: Any) -> Any:
            bound = signature.bind(*arguments, **named)
            given, target = bound.arguments["input"], bound.arguments["target"]
            if name == "cross_entropy" and given.shape[1:] == target.shape[1:] == (1,):  # a softmax of one
                self.times += 1
                return functional.binary_cross_entropy_with_logits(given, target.to(given.dtype))
            if self.failed is None and given.requires_grad:
                bound.arguments["input"] = meant(given)
                self.times += bound.arguments["input"] is not given
            return original(*bound.args, **bound.kwargs)

        setattr(functional, name, loss)

    def _wrap_softmax(self, owner: Any) -> None:
        """Has a log-softmax, which a cross-entropy by hand begins with, taken of plain outputs."""
        original = owner.log_softmax

        def log_softmax(given: Any, *arguments: Any, **named: Any) -> Any:
            meant = self._logits(given) if given.requires_grad and given.ndim <= 2 else given
            self.times += meant is not given
            return original(meant, *arguments, **named)

        owner.log_softmax = log_softmax

    def given(self, call: Call) -> None:
        """Changes the input of a loss of another library."""
        if "crossentropy" in type(call.module).__name__.lower() and call.arguments:
            first, *others = call.arguments
            meant = self._logits(first)
            self.times += meant is not first
            call.arguments = (meant, *others)

    def returned(self, call: Call, output: Any) -> Any:
        """Returns the output of the model without a ReLU at its end, which would tie its classes."""
        before = self._undoing.before(output) if hasattr(output, "data_ptr") else None
        return output if before is None or before.function != "relu" else before.given

    def _logits(self, given: Any) -> Any:
        before = self._undoing.before(given)
        if before is not None and before.function != "log_softmax":
            return before.given.reshape(given.shape)
        if form(given, None if before is None else before.function) != "probabilities":
            return given
        if given.ndim == 2 and given.shape[1] > 1:
            return given.clamp_min(LEAST).log()
        return given.logit(eps=1e-7)

    def _log_probabilities(self, given: Any) -> Any:
        before = self._undoing.before(given)
        kind = form(given, None if before is None else before.function)
        if kind == "log-probabilities":
            return given
        logits = self._logits(given) if kind == "probabilities" else given
        return logits.log_softmax(1)


CHANGE = LogitsToLoss
