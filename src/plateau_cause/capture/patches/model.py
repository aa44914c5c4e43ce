"""What moves: frozen layers, parameters that no optimizer holds, dropouts that always act."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from pathlib import Path

from plateau_cause.capture.patches.change import Place, changed
from plateau_cause.capture.patches.flowing import flowing
from plateau_cause.capture.patches.source import Edit, Source, called, method


def unfrozen(
    folder: Path,
    place: Place,
    optimizer: Place = None,
    models: Sequence[str] = (),
    rate: float | None = None,
    stopped: Place = None,
) -> str | None:
    """Returns the line with `requires_grad = False` turned to True, and an optimizer that holds that too.

    Args:
        folder: that the file lies in.
        place: of the line.
        optimizer: that may hold a part of the model alone: then the model stands in its place.
        models: what the script calls it, or its parts that are called one after the other.
        rate: of what was frozen, in a group of its own; None: that of the rest. No change without one then.
        stopped: a line at which gradients stop besides: they flow on. No change where they would not.
    """

    def edit(source: Source, line: int) -> list[Edit]:
        constants = [node for node in source.at(line, ast.Constant) if node.value is False]
        held = optimizer and place and optimizer["file"] == place["file"] and constants
        holding = _held_whole(source, optimizer["line"], models, rate) if held and optimizer else []
        is_near = stopped is not None and place is not None and stopped["file"] == place["file"]
        let_through = flowing(source, stopped["line"]) if stopped is not None and is_near else []
        if (rate is not None and not holding) or (stopped is not None and not let_through):
            return []
        return [*(source.replaced(node, "True") for node in constants), *holding, *let_through]

    return changed(folder, place, edit)


def held_whole(folder: Path, place: Place, models: Sequence[str], rate: float | None = None) -> str | None:
    """Returns the optimizer with `model.fc.parameters()` turned to `model.parameters()`.

    Of a model in parts, one part's parameters are turned to those of all. With a rate, what it did not hold
    stands under that one, in a group of its own.
    """
    return changed(folder, place, lambda source, line: _held_whole(source, line, models, rate))


def _held_whole(source: Source, line: int, models: Sequence[str], rate: float | None) -> list[Edit]:
    if not models or not all(name.isidentifier() for name in models):
        return []
    calls = [node for node in source.at(line, ast.Call) if method(node) == "parameters"]
    if len(models) > 1:
        return _held_parts(source, calls, models, rate)
    model = models[0]
    parts = [node for node in calls if source.text(node).startswith((f"{model}.", f"{model}["))]
    is_part = len(parts) == 1 and source.text(parts[0]) != f"{model}.parameters()"
    if is_part and rate is not None:
        return _in_groups(source, parts[0], model, rate)
    return [source.replaced(parts[0], f"{model}.parameters()")] if is_part else []


def _held_parts(
    source: Source, calls: list[ast.Call], models: Sequence[str], rate: float | None
) -> list[Edit]:
    """Returns `head.parameters()` turned to the parameters of all parts; none where it is not that alone."""
    held = [node for node in calls if source.text(node) in {f"{name}.parameters()" for name in models}]
    if len(calls) != 1 or len(held) != 1:
        return []
    own = source.text(held[0])
    others = [f"*{name}.parameters()" for name in models if own != f"{name}.parameters()"]
    if rate is None:
        return [source.replaced(held[0], f"[{', '.join([*others, f'*{own}'])}]")]
    group = f'{{"params": [{", ".join(others)}], "lr": {rate:.1g}}}'
    return [source.replaced(held[0], f'[{{"params": {own}}}, {group}]')]


def _in_groups(source: Source, held: ast.Call, model: str, rate: float) -> list[Edit]:
    """Returns `[{"params": model.fc.parameters()}, {"params": […], "lr": 1e-5}]` in place of the first."""
    part = source.text(held).removeprefix(f"{model}.").removesuffix(".parameters()")
    if not all(word.isidentifier() for word in part.split(".")):
        return []
    others = f'[p for n, p in {model}.named_parameters() if not n.startswith("{part}.")]'
    groups = f'[{{"params": {source.text(held)}}}, {{"params": {others}, "lr": {rate:.1g}}}]'
    return [source.replaced(held, groups)]


def dropout_told(folder: Path, place: Place) -> str | None:
    """Returns the call of `dropout` with `training=self.training`."""

    def edit(source: Source, line: int) -> list[Edit]:
        calls = [node for node in source.at(line, ast.Call) if called(node) == "dropout"]
        if len(calls) != 1:
            return []
        for keyword in calls[0].keywords:
            if keyword.arg == "training":
                return [source.replaced(keyword.value, "self.training")]
        last = [*calls[0].args, *(keyword.value for keyword in calls[0].keywords)][-1]
        return [source.replaced(last, f"{source.text(last)}, training=self.training")]

    return changed(folder, place, edit)


def registered(folder: Path, place: Place) -> str | None:
    """Returns a list or dict of modules as an `nn.ModuleList` or `nn.ModuleDict`, which torch knows of."""

    def edit(source: Source, line: int) -> list[Edit]:
        kinds = {ast.List: "ModuleList", ast.ListComp: "ModuleList", ast.Dict: "ModuleDict"}
        found = [node.value for node in source.at(line, ast.Assign) if type(node.value) in kinds]
        has_nn = re.search(r"^(import .*torch\.nn as nn|from torch import .*\bnn\b)", source.whole, re.M)
        if len(found) != 1 or not has_nn:
            return []
        return [source.replaced(found[0], f"nn.{kinds[type(found[0])]}({source.text(found[0])})")]

    return changed(folder, place, edit)
