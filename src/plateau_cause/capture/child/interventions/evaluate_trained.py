"""What is evaluated in place of the trained model, an average of its weights, has the weights as trained."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from plateau_cause.capture.child import facts
from plateau_cause.capture.child.call import Call
from plateau_cause.capture.child.interventions.base import Intervention


class EvaluateTrained(Intervention):
    """Lends a copy of the model its weights and statistics while it is evaluated."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        super().__init__(name, settings)
        self._trained: Any = None

    @contextmanager
    def around(self, call: Call) -> Iterator[None]:
        """Keeps what trains, and exchanges the weights of another module of its kind."""
        inner, _ = facts.unwrapped(call.module)
        if call.is_training and next(inner.parameters(), None) is not None:  # no loss, no transform
            self._trained = inner
        is_copy = self._trained is not None and inner is not self._trained
        if not call.is_evaluation or not is_copy or type(inner) is not type(self._trained):
            yield
            return
        own = {name: value.detach().clone() for name, value in inner.state_dict().items()}
        inner.load_state_dict(self._trained.state_dict())
        self.times += 1
        try:
            yield
        finally:
            inner.load_state_dict(own)


CHANGE = EvaluateTrained
