"""The optimiser of an arm: the declared one or the user's, edited where it is not the arm's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from plateau_cause.errors import PlateauError
from plateau_cause.lab.arm import Arm
from plateau_cause.training import model, optimizer
from plateau_cause.training.user_code import call, place

if TYPE_CHECKING:
    from plateau_cause.lab.laboratory import Laboratory


def build(
    lab: Laboratory, arm: Arm, network: nn.Module, head: list[nn.Parameter]
) -> torch.optim.Optimizer | None:
    """Returns the arm's optimiser over the network's parameters, or None where it has none to move."""
    declared = arm.recipe.optimizer
    if "optimizer" not in arm.own:
        return optimizer.build(declared, _held(lab, arm, network, head))
    built = user_optimizer(lab, network)
    if "parameters" not in arm.own:
        optimizer.add_missing(built, optimizer.held(declared.parameters, network, head))
    if "learning_rate" not in arm.own:
        optimizer.rescale_learning_rate(built, declared.learning_rate)
    if "weight_decay" not in arm.own:
        optimizer.set_weight_decay(built, declared.weight_decay)
    return built


def _held(lab: Laboratory, arm: Arm, network: nn.Module, head: list[nn.Parameter]) -> list[nn.Parameter]:
    """Returns what a declared optimiser holds: what the user's holds, where that is the arm's own choice."""
    if "parameters" not in arm.own or lab.code.optimizer is None:
        return optimizer.held(arm.recipe.optimizer.parameters, network, head)
    theirs = {id(parameter) for parameter in optimizer.moved(user_optimizer(lab, network))}
    return [p for p in network.parameters() if p.requires_grad and id(p) in theirs]


def user_optimizer(lab: Laboratory, network: nn.Module) -> torch.optim.Optimizer:
    """Returns what the user's optimizer() gives for this network.

    Raises:
        PlateauError: it failed, or gives no optimiser, or one whose step() cannot be called alone.
    """
    function = lab.code.optimizer
    assert function is not None
    built, where = call(function, model.as_given(network)), place("optimizer", function)
    given = type(built).__name__
    if not isinstance(built, torch.optim.Optimizer):
        raise PlateauError(f"recipe.code: {where} must give a torch.optim.Optimizer, not {given}")
    if not optimizer.steps_alone(built):
        raise PlateauError(
            f"recipe.code: {where} gives {given}, whose step() needs a closure; "
            "allowed: an optimizer whose step() takes nothing"
        )
    return built


def can_hold(lab: Laboratory, network: nn.Module) -> bool:
    """Returns whether the user's optimizer() takes this network and holds any of it."""
    try:
        built = user_optimizer(lab, network)
    except PlateauError:
        return False
    own = set(map(id, network.parameters()))
    return any(id(parameter) in own for group in built.param_groups for parameter in group["params"])
