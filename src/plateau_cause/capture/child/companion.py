"""A second optimizer beside the script's, for parameters that the script's does not move."""

from __future__ import annotations

import inspect
from typing import Any

MOST = 0.02  # of the weights' norm: what a step may change, the rate never above the script's own


class Companion:
    """Moves parameters as the script's optimizer would, at its rate or less.

    Layers that were not meant to move stand under a rate that was chosen for others: it is lowered until a
    step changes them by at most MOST of their norm. The last linear layer moves at the script's rate.

    Attributes:
        beside: the script's optimizer.
        parameters: that are moved.
        rate: at which the layers but the last one are moved, at first.
        own: that of the script's optimizer.
    """

    def __init__(self, optimizer: Any, parameters: list[Any], head: list[Any]) -> None:
        self.beside, self.parameters = optimizer, parameters
        heads = {id(one) for one in head}
        self.own = min(float(group["lr"]) for group in optimizer.param_groups)
        slow = [one for one in parameters if id(one) not in heads]
        fast = [one for one in parameters if id(one) in heads]
        rates = [(slow, min(self.own, _bearable(optimizer, slow))), (fast, self.own)]
        self._rates = [rate for group, rate in rates if group]
        self.rate = rates[0][1] if slow else self.own  # of what was not meant to move
        groups = [{"params": group, "lr": rate} for group, rate in rates if group]
        self._optimizer = type(optimizer)(groups, **_arguments(optimizer))

    def step(self, scale: float) -> None:
        """Takes a step beside the script's, whose schedule it follows, and clears its gradients.

        Args:
            scale: what a gradient scaler has multiplied the gradients by.
        """
        now = min(float(group["lr"]) for group in self.beside.param_groups)
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * now / self.own if self.own else now
        for one in self.parameters:
            if one.grad is not None and scale != 1.0:
                one.grad.div_(scale)
        self._optimizer.step()
        self._optimizer.zero_grad()


def _arguments(optimizer: Any) -> dict[str, Any]:
    allowed = inspect.signature(type(optimizer).__init__).parameters
    given = {**optimizer.defaults, **{k: v for k, v in optimizer.param_groups[0].items() if k != "params"}}
    return {key: value for key, value in given.items() if key in allowed and key not in ("params", "lr")}


def _bearable(optimizer: Any, parameters: list[Any]) -> float:
    """Returns the rate at which a step changes the median weight matrix by MOST of its norm."""
    adaptive = "betas" in optimizer.defaults or "alpha" in optimizer.defaults  # steps of the rate's own size
    lasting = 1.0 if adaptive else 1.0 - float(optimizer.param_groups[0].get("momentum", 0.0))
    ratios = []
    for one in parameters:
        if one.ndim > 1 and one.grad is not None and float(one.detach().norm()) > 0:
            moved = one.numel() ** 0.5 if adaptive else float(one.grad.norm()) / lasting
            ratios.append(moved / float(one.detach().norm()))
    middle = sorted(ratios)[len(ratios) // 2] if ratios else 0.0
    return MOST / middle if middle else float("inf")
