"""Gradients reach the whole model, and every layer that they reach then is stepped."""

from __future__ import annotations

from plateau_cause.capture.child.interventions.hold_parameters import HoldParameters
from plateau_cause.capture.child.interventions.let_flow import LetFlow


class LetFlowAndHold(HoldParameters, LetFlow):
    """Does what both do, of which neither alone would move a layer."""


CHANGE = LetFlowAndHold
