"""Optimisers and learning-rate schedules, as the recipe declares them or as the user's code builds them."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from plateau_cause.config.recipe import Optimizer, Schedule

LOWEST_RATE = 1e-12  # what a rate of zero counts as: rates are compared as ratios
# The defaults of torch.optim.lr_scheduler.OneCycleLR, which is what `one_cycle` names.
ONE_CYCLE_RISE_FRAC = 0.3  # share of the steps in which the rate climbs, unless `warmup` says another
ONE_CYCLE_START = 1 / 25.0  # of the peak
ONE_CYCLE_END = ONE_CYCLE_START / 1e4
ONE_CYCLE_MOMENTUM = (0.95, 0.85)  # at the lowest rate and at the peak


def build(recipe: Optimizer, parameters: list[nn.Parameter]) -> torch.optim.Optimizer | None:
    """Returns the declared optimiser over these parameters, or None where there is nothing to move."""
    if not parameters:
        return None
    common: dict[str, Any] = {"lr": recipe.learning_rate, "weight_decay": recipe.weight_decay}
    match recipe.name:
        case "sgd":
            return torch.optim.SGD(parameters, momentum=recipe.momentum, fused=True, **common)
        case "rmsprop":
            return torch.optim.RMSprop(parameters, momentum=recipe.momentum, **common)
        case "adam":
            return torch.optim.Adam(parameters, fused=True, **common)
        case _:
            return torch.optim.AdamW(parameters, fused=True, **common)


def held(which: str, model: nn.Module, head: Iterable[nn.Parameter]) -> list[nn.Parameter]:
    """Returns the trainable parameters that the optimiser holds: trainable | head | backbone | none.

    What a user's optimizer holds beside these ("part") has no counterpart elsewhere: all that is trainable.
    """
    in_head = {id(parameter) for parameter in head}
    wanted = {"head": (True,), "backbone": (False,), "none": ()}.get(which, (True, False))
    return [p for p in model.parameters() if p.requires_grad and (id(p) in in_head) in wanted]


def moved(optimizer: torch.optim.Optimizer) -> list[nn.Parameter]:
    """Returns the parameters that the optimiser moves: those of groups whose rate is above zero."""
    groups = [group for group in optimizer.param_groups if float(group["lr"]) > 0]
    return [parameter for group in groups for parameter in group["params"]]


def steps_alone(optimizer: torch.optim.Optimizer) -> bool:
    """Returns whether step() can be called without arguments (LBFGS wants a closure)."""
    try:
        inspect.signature(type(optimizer).step).bind(optimizer)
    except TypeError:
        return False
    return True


def factor(schedule: Schedule, step: int, steps: int) -> float:
    """Returns the learning rate at this step (counted from 0) as a multiple of its peak."""
    if schedule.name == "one_cycle":
        return _one_cycle(schedule, step, steps, (ONE_CYCLE_START, 1.0, ONE_CYCLE_END))
    rising = math.ceil(schedule.warmup * steps)
    if step < rising:
        return (step + 1) / rising
    if schedule.name == "constant":
        return 1.0
    progress = (step - rising) / max(1, steps - rising)
    return 0.5 * (1.0 + math.cos(math.pi * progress))


def momentum(schedule: Schedule, step: int, steps: int) -> float | None:
    """Returns the momentum that the schedule wants at this step, or None where it moves the rate alone."""
    low, high = ONE_CYCLE_MOMENTUM
    return _one_cycle(schedule, step, steps, (low, high, low)) if schedule.name == "one_cycle" else None


def _one_cycle(schedule: Schedule, step: int, steps: int, levels: tuple[float, float, float]) -> float:
    """Returns start, peak and end joined by half cosines, as OneCycleLR (Smith and Topin 2018) joins them."""
    start, peak, end = levels
    top = (schedule.warmup or ONE_CYCLE_RISE_FRAC) * steps - 1.0  # PyTorch's peak lies between two steps
    if step <= top:
        return _half_cosine(start, peak, step / top if top > 0 else 1.0)
    return _half_cosine(peak, end, (step - top) / (steps - 1 - top))


def _half_cosine(first: float, last: float, share: float) -> float:
    return last + (first - last) / 2.0 * (1.0 + math.cos(math.pi * share))


def follow(
    optimizer: torch.optim.Optimizer, schedule: Schedule, peaks: list[float], step: int, steps: int
) -> None:
    """Sets every group's rate, a multiple of its peak, and momentum for this step of the schedule.

    Peaks are moved where the optimizer changes its own rates, as a user's may: by as much as it changed them.
    """
    before = factor(schedule, step - 1, steps) if step else 0.0
    for number, group in enumerate(optimizer.param_groups):
        left = peaks[number] * before
        if left and float(group["lr"]) != left:
            peaks[number] *= float(group["lr"]) / left
    set_learning_rate(optimizer, peaks, factor(schedule, step, steps))
    wanted = momentum(schedule, step, steps)
    if wanted is not None:
        for group in optimizer.param_groups:
            if "betas" in group:
                group["betas"] = (wanted, *group["betas"][1:])
            elif "momentum" in group:
                group["momentum"] = wanted


def set_learning_rate(optimizer: torch.optim.Optimizer, peaks: list[float], multiple: float) -> None:
    """Sets every group's learning rate to its peak times a multiple."""
    for group, peak in zip(optimizer.param_groups, peaks, strict=True):
        group["lr"] = peak * multiple


def describe(optimizer: torch.optim.Optimizer) -> dict[str, float | str]:
    """Returns name, learning rate (of most that moves), weight decay and momentum of an optimiser."""
    groups = optimizer.param_groups
    return {
        "name": type(optimizer).__name__.lower(),
        "learning_rate": max(float(_largest(optimizer)["lr"]), LOWEST_RATE),
        "weight_decay": max(float(group.get("weight_decay", 0.0)) for group in groups),
        "momentum": max(float(group.get("momentum", 0.0) or 0.0) for group in groups),
    }


def rescale_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Gives most of what moves this learning rate; the groups keep their ratios, also a rate of zero."""
    present = float(_largest(optimizer)["lr"])
    for group in optimizer.param_groups:
        group["lr"] = float(group["lr"]) * rate / present if present > 0 else rate


def set_weight_decay(optimizer: torch.optim.Optimizer, weight_decay: float) -> None:
    """Sets every group's weight decay."""
    for group in optimizer.param_groups:
        group["weight_decay"] = weight_decay


def add_missing(optimizer: torch.optim.Optimizer, parameters: list[nn.Parameter]) -> None:
    """Has the optimiser move these parameters, under the settings of its largest group where it lacks them.

    A group that holds some of them at a rate of zero gets that group's rate.
    """
    wanted, largest = set(map(id, parameters)), _largest(optimizer)
    for group in optimizer.param_groups:
        if float(group["lr"]) == 0 and wanted.intersection(map(id, group["params"])):
            group["lr"] = largest["lr"]
    holding = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    missing = [parameter for parameter in parameters if id(parameter) not in holding]
    if missing:
        settings = {key: value for key, value in largest.items() if key != "params"}
        optimizer.add_param_group({**settings, "params": missing})


def _largest(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Returns the group that holds the most parameters, of those with a rate where any has one."""
    moving = [group for group in optimizer.param_groups if float(group["lr"]) > 0]
    return max(moving or optimizer.param_groups, key=lambda group: sum(p.numel() for p in group["params"]))


def clear(optimizer: torch.optim.Optimizer, surely: bool) -> None:
    """Clears the gradients; not surely: as far as a `zero_grad()` of the user's own does, and no further.

    Torch's own would clear: where it stands in for one that does not, nothing is done.
    """
    torchs = torch.optim.Optimizer.zero_grad
    if surely or type(optimizer).zero_grad is not torchs or "zero_grad" in vars(optimizer):
        optimizer.zero_grad()
    if surely:
        for parameter in _parameters(optimizer):
            parameter.grad = None


def clears(optimizer: torch.optim.Optimizer) -> bool:
    """Returns whether `zero_grad()` leaves no gradient standing."""
    held = _parameters(optimizer)
    before = [parameter.grad for parameter in held]
    for parameter in held:
        parameter.grad = torch.ones_like(parameter)
    optimizer.zero_grad()
    is_clear = all(parameter.grad is None or not parameter.grad.any() for parameter in held)
    for parameter, gradient in zip(held, before, strict=True):
        parameter.grad = gradient
    return is_clear


def _parameters(optimizer: torch.optim.Optimizer) -> list[torch.Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]
