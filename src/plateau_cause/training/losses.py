"""Training losses by name; each takes outputs (B, C) and integer targets (B,) and returns a scalar."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from plateau_cause.config.recipe import Loss
from plateau_cause.training.outputs import logits
from plateau_cause.training.user_code import call

LossFunction = Callable[[Any, torch.Tensor], torch.Tensor]  # of what the network gives, tensor or not


def build(recipe: Loss) -> LossFunction:
    """Returns the declared loss of a network's scores.

    `nll` and `mse` read them as they are: that is their classic trap.
    """
    loss = _named(recipe)
    return lambda output, target: loss(logits(output).float(), target)


def own(function: Callable[..., Any]) -> LossFunction:
    """Returns the user's loss: of all that the network gives where it reads that, of the scores otherwise.

    A network that gives a tensor leaves no choice; from others a loss may want auxiliary outputs or
    `output.logits`.
    """

    def loss(output: Any, target: torch.Tensor) -> torch.Tensor:
        if not isinstance(output, torch.Tensor):
            try:
                return function(output, target)  # type: ignore[no-any-return]
            except Exception:  # it wants scores; what it says of them is said below
                output = logits(output).float()
        return call(function, output, target)  # type: ignore[no-any-return]

    return loss


def _named(recipe: Loss) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    smoothing = recipe.label_smoothing
    match recipe.name:
        case "nll":
            return functional.nll_loss
        case "bce":
            return lambda output, target: functional.binary_cross_entropy_with_logits(
                output, _smooth(output, target, smoothing)
            )
        case "mse":
            return lambda output, target: functional.mse_loss(output, _smooth(output, target, smoothing))
        case _:
            return lambda output, target: functional.cross_entropy(output, target, label_smoothing=smoothing)


def are_probabilities(outputs: torch.Tensor) -> bool:
    """Returns whether every row (B, C) could be a softmax's: none negative, and a sum of one."""
    sums = outputs.sum(1)
    return bool(outputs.numel() and (outputs >= 0).all() and sums.allclose(torch.ones_like(sums), atol=0.02))


def double_softmax_floor(num_classes: int) -> float:
    """Returns the lowest cross-entropy when probabilities are taken for logits: ln(1 + (C - 1) / e)."""
    return math.log(1.0 + (num_classes - 1) / math.e)


def _smooth(output: torch.Tensor, target: torch.Tensor, smoothing: float) -> torch.Tensor:
    one_hot = functional.one_hot(target, output.shape[1]).to(output.dtype)
    return one_hot * (1.0 - smoothing) + smoothing / output.shape[1]
