"""The whole model moves: parameters that no optimizer of the script holds are held by a second one."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.child.call import Call
from plateau_cause.capture.child.companion import Companion
from plateau_cause.capture.child.interventions.base import Intervention


class HoldParameters(Intervention):
    """Steps a companion behind the script's first optimizer."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        super().__init__(name, settings)
        self._modules: list[Any] = []  # that are called in training
        self._companion: Companion | None = None
        self._beside: Any = None  # the optimizer that it steps behind
        self._aside: list[tuple[Any, Any]] = []  # parameters whose gradients are kept from the script's

    def given(self, call: Call) -> None:
        """Notes what is trained."""
        if call.is_training and all(one is not call.module for one in self._modules):
            self._modules.append(call.module)

    def before_step(self, optimizer: Any) -> None:
        """Keeps the companion's gradients from the script's optimizer, should it hold them too."""
        if self._companion is None:
            parameters = self.lacking()
            if not parameters:
                return
            self._companion, self._beside = Companion(optimizer, parameters, self._head()), optimizer
        self._aside = [(one, one.grad) for one in self.own()]
        for one, _ in self._aside:
            one.grad = None

    def after_step(self, optimizer: Any) -> None:
        """Takes the companion's step."""
        for one, gradient in self._aside:
            one.grad = gradient
        self._aside = []
        if self._companion is not None and optimizer is self._beside:
            self._companion.step(self._scale())
            self.times += 1

    def lacking(self) -> list[Any]:
        """Returns the parameters that train and that no optimizer of the script holds."""
        others = [one for one in self.changes.interventions if isinstance(one, HoldParameters)]
        held = {id(one) for one in [*self._held(), *(kept for other in others for kept in other.own())]}
        return [one for one in self._parameters() if one.requires_grad and id(one) not in held]

    def own(self) -> list[Any]:
        """Returns the parameters whose gradients the script's optimizer is not to see."""
        return []

    def _parameters(self) -> list[Any]:
        found = {id(one): one for module in self._modules for one in module.parameters()}
        return list(found.values())

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
