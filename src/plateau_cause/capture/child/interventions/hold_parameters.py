"""The whole model moves: parameters that no optimizer of the script holds are held by a second one."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.child.call import Call
from plateau_cause.capture.child.companion import Companion
from plateau_cause.capture.child.interventions.base import Intervention
from plateau_cause.capture.child.unregistered import unregistered

SLOWER = 0.5  # of the script's rate: worth a word


class HoldParameters(Intervention):
    """Steps a companion behind the optimizer under which such parameters first have gradients.

    A script may build another optimizer later, for its next phase or a new model: once that one steps twice
    in a row, those before it have had their time, and companions stand beside it.
    """

    reaches_network = True

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        super().__init__(name, settings)
        self._modules: list[Any] = []  # that are called in training
        self._companions: list[Companion] = []
        self._latest: Any = None  # the optimizer that stepped last
        self._aside: list[tuple[Any, Any]] = []  # parameters whose gradients are kept from the script's

    def given(self, call: Call) -> None:
        """Notes what is trained."""
        if call.is_training and all(one is not call.module for one in self._modules):
            self._modules.append(call.module)

    def before_step(self, optimizer: Any) -> None:
        """Keeps the companion's gradients from the script's optimizer, should it hold them too."""
        if self._latest is optimizer:
            self._companions = [one for one in self._companions if one.beside is optimizer]
        self._latest = optimizer
        taken = {id(one) for companion in self._companions for one in companion.parameters}
        parameters = [one for one in self.lacking() if one.grad is not None and id(one) not in taken]
        if parameters:
            self._companions.append(Companion(optimizer, parameters, self._head()))
        self._aside = [(one, one.grad) for one in self.own()]
        for one, _ in self._aside:
            one.grad = None

    def after_step(self, optimizer: Any) -> None:
        """Takes the companions' step."""
        for one, gradient in self._aside:
            one.grad = gradient
        self._aside = []
        for companion in self._companions:
            if companion.beside is optimizer:
                companion.step(self._scale())
                self.times += 1

    def told(self) -> dict[str, Any]:
        """Returns also the rate of layers that were not meant to move, where it is far below the script's."""
        slow = [one for one in self._companions if one.rate < SLOWER * one.own]
        return super().told() | ({"rate": slow[0].rate, "beside": slow[0].own} if slow else {})

    def lacking(self) -> list[Any]:
        """Returns the parameters that train and that no optimizer of the script holds."""
        others = [one for one in self.changes.interventions if isinstance(one, HoldParameters)]
        held = {id(one) for one in [*self._held(), *(kept for other in others for kept in other.own())]}
        return [one for one in self._parameters() if one.requires_grad and id(one) not in held]

    def own(self) -> list[Any]:
        """Returns the parameters whose gradients the script's optimizer is not to see."""
        return []

    def _parameters(self) -> list[Any]:
        every = [part for module in self._modules for part in (module, *unregistered(module).values())]
        return list({id(one): one for module in every for one in module.parameters()}.values())

    def _held(self) -> list[Any]:
        return [one for held in self.changes.doors.stepping.held for group in held.optimizer.param_groups
                for one in group["params"]]  # fmt: skip

    def _head(self) -> list[Any]:
        from torch import nn

        last = [part for module in self._modules for part in module.modules() if isinstance(part, nn.Linear)]
        return list(last[-1].parameters()) if last else []

    def _scale(self) -> float:
        scaler = self.changes.doors.stepping.grad_scaler
        return float(scaler.get_scale()) if scaler is not None and scaler.is_enabled() else 1.0


CHANGE = HoldParameters
