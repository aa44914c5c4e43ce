"""Every layer trains: what the script has frozen is unfrozen, and held by a second optimizer."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.child.call import Call
from plateau_cause.capture.child.interventions.hold_parameters import HoldParameters


class Unfreeze(HoldParameters):
    """Unfreezes before every training call, as scripts may freeze anew in every epoch."""

    reaches_network = True

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        super().__init__(name, settings)
        self._frozen: dict[int, Any] = {}

    def given(self, call: Call) -> None:
        """Unfreezes what is about to be trained."""
        super().given(call)
        if not call.is_training:
            return
        for one in call.module.parameters():
            if not one.requires_grad and one.is_floating_point():
                one.requires_grad_(True)
                self._frozen[id(one)] = one

    def lacking(self) -> list[Any]:
        """Returns what was frozen."""
        return list(self._frozen.values())

    def own(self) -> list[Any]:
        """Returns the same: a rate that the script chose for other layers is not theirs."""
        return list(self._frozen.values())


CHANGE = Unfreeze
