"""Optimisers and learning-rate schedules, as the recipe declares them or as the user's code builds them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from plateau_cause.config.recipe import Optimizer, Schedule

ONE_CYCLE_RISE_FRAC = 0.3  # share of the steps that a one-cycle schedule climbs


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
    """Returns the trainable parameters that the optimiser holds: trainable | head | backbone."""
    in_head = {id(parameter) for parameter in head}
    wanted = {"trainable": (True, False), "head": (True,), "backbone": (False,)}[which]
    return [p for p in model.parameters() if p.requires_grad and (id(p) in in_head) in wanted]


def factor(schedule: Schedule, step: int, steps: int) -> float:
    """Returns the learning rate at this step as a multiple of its peak (Smith 2018 for one_cycle)."""
    rise = ONE_CYCLE_RISE_FRAC if schedule.name == "one_cycle" else schedule.warmup
    rising = math.ceil(rise * steps)
    if step < rising:
        return (step + 1) / rising
    if schedule.name == "constant":
        return 1.0
    progress = (step - rising) / max(1, steps - rising)
    return 0.5 * (1.0 + math.cos(math.pi * progress))


def set_learning_rate(optimizer: torch.optim.Optimizer, peaks: list[float], multiple: float) -> None:
    """Sets every group's learning rate to its peak times a multiple."""
    for group, peak in zip(optimizer.param_groups, peaks, strict=True):
        group["lr"] = peak * multiple


def describe(optimizer: torch.optim.Optimizer) -> dict[str, float | str]:
    """Returns name, learning rate (of most parameters), weight decay and momentum of an optimiser."""
    groups = optimizer.param_groups
    return {
        "name": type(optimizer).__name__.lower(),
        "learning_rate": float(_largest(optimizer)["lr"]),
        "weight_decay": max(float(group.get("weight_decay", 0.0)) for group in groups),
        "momentum": max(float(group.get("momentum", 0.0) or 0.0) for group in groups),
    }


def rescale_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Gives most parameters this learning rate; the groups keep their ratios."""
    present = float(_largest(optimizer)["lr"])
    for group in optimizer.param_groups:
        group["lr"] = float(group["lr"]) * rate / present if present > 0 else rate


def set_weight_decay(optimizer: torch.optim.Optimizer, weight_decay: float) -> None:
    """Sets every group's weight decay."""
    for group in optimizer.param_groups:
        group["weight_decay"] = weight_decay


def add_missing(optimizer: torch.optim.Optimizer, parameters: list[nn.Parameter]) -> None:
    """Gives the optimiser the parameters that it does not hold, under its first group's settings."""
    holding = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    missing = [parameter for parameter in parameters if id(parameter) not in holding]
    if missing:
        settings = {key: value for key, value in optimizer.param_groups[0].items() if key != "params"}
        optimizer.add_param_group({**settings, "params": missing})


def _largest(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Returns the group that holds the most parameters."""
    return max(optimizer.param_groups, key=lambda group: sum(p.numel() for p in group["params"]))
