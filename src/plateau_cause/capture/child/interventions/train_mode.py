"""Batch norms and dropouts act as in training while the model trains."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from plateau_cause.capture.child.call import Call
from plateau_cause.capture.child.describe.facts import unwrapped
from plateau_cause.capture.child.interventions.base import Intervention
from plateau_cause.capture.child.modes import in_mode


class TrainMode(Intervention):
    """Calls the model in training mode where gradients will be taken from the call."""

    @contextmanager
    def around(self, call: Call) -> Iterator[None]:
        """Sets the mode, and restores the script's own afterwards."""
        inner, _ = unwrapped(call.module)  # whose mode may be set apart from what is around it
        if not call.is_training or inner.training:
            yield
            return
        with in_mode(call.module, training=True) as changed:
            self.times += changed
            yield


CHANGE = TrainMode
