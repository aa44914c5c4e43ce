"""A network trains whose features were computed before training: gradients reach it, its layers are held."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.child.interventions.hold_parameters import HoldParameters
from plateau_cause.capture.child.interventions.let_flow import LetFlow
from plateau_cause.capture.child.interventions.unfreeze import Unfreeze


class TrainNetwork(Unfreeze, LetFlow):
    """Does what all three do, of which no two would move a layer; settings: `parts`, as for LetFlow."""

    def _let(self) -> bool:
        """Returns whether a network computes again what training is given: gradients flow there alone."""
        beforehand = self.changes.doors.calling.beforehand
        return beforehand is not None and beforehand.place is not None and super()._let()

    def lacking(self) -> list[Any]:
        """Returns what was frozen, and what trains and no optimizer of the script holds."""
        return [*super().lacking(), *HoldParameters.lacking(self)]


CHANGE = TrainNetwork
