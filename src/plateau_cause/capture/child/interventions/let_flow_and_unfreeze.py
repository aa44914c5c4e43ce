"""Every layer trains, and gradients reach all of them: what is frozen often runs under `no_grad` as well."""

from __future__ import annotations

from plateau_cause.capture.child.interventions.let_flow import LetFlow
from plateau_cause.capture.child.interventions.unfreeze import Unfreeze


class LetFlowAndUnfreeze(Unfreeze, LetFlow):
    """Does what both do, of which neither alone would move a layer."""


CHANGE = LetFlowAndUnfreeze
