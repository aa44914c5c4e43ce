"""Batch norms and dropouts act as in evaluation while the model is evaluated; so do functions of dropout."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from plateau_cause.capture.child.call import Call
from plateau_cause.capture.child.interventions.base import Intervention
from plateau_cause.capture.child.modes import in_mode


class EvaluationMode(Intervention):
    """Calls the model in evaluation mode where it is given other data than those of training."""

    def install(self, torch: ModuleType) -> None:
        """Wraps `dropout`, which scripts call as a function without a word on the mode."""
        functional: Any = torch.nn.functional
        original = functional.dropout

        def dropout(given: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
            call = self.changes.call
            if training and call is not None and call.is_evaluation:
                self.times += 1
                training = False
            return original(given, p, training, inplace)

        functional.dropout = dropout

    @contextmanager
    def around(self, call: Call) -> Iterator[None]:
        """Sets the mode, and restores the script's own afterwards."""
        if not call.is_evaluation:
            yield
            return
        with in_mode(call.module, training=False) as changed:
            self.times += changed
            yield


CHANGE = EvaluationMode
