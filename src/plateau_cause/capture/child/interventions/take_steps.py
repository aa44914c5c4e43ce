"""An optimizer that the script built and never uses takes a step behind every backward call."""

from __future__ import annotations

from plateau_cause.capture.child.interventions.base import Intervention


class TakeSteps(Intervention):
    """Takes the steps that the script leaves out; settings: `line` of one such optimizer, or none."""

    def backward(self) -> None:
        """Takes a step with every optimizer that has taken none of the script's."""
        for held in self.changes.doors.stepping.held:
            if not held.steps and self.settings.get("line") in (None, held.place and held.place.line):
                held.optimizer.step()
                held.optimizer.zero_grad()
                self.times += 1


CHANGE = TakeSteps
