"""Layers of a Keras script: frozen ones, activations, one model in place of two."""

from __future__ import annotations

import ast
from pathlib import Path

from plateau_cause.capture.patches.change import Place, changed
from plateau_cause.capture.patches.keras_names import written
from plateau_cause.capture.patches.source import Edit, Source, called, calls_of, one_line


def unfrozen_but_norms(folder: Path, place: Place) -> str | None:
    """Returns the line with `trainable = False` turned to True, for every layer but the batch norms."""

    def edit(source: Source, line: int) -> list[Edit]:
        return [one for each in _alike(source, line) for one in _thawed(source, each)]

    return changed(folder, place, edit)


def frozen_last(folder: Path, place: Place) -> Place:
    """Returns the last line that freezes the same again: before a second fit it is what decides."""
    try:
        source = Source((folder / place["file"]).read_text(encoding="utf-8")) if place else None
    except (OSError, UnicodeDecodeError, SyntaxError):
        return place
    lines = _alike(source, place["line"]) if source and place else []
    return {**place, "line": lines[-1]} if place and lines else place


def _alike(source: Source, line: int) -> list[int]:
    """Returns the lines, this one first, that write `trainable = False` for the same as this one does."""
    found = [node for node in source.at(line, ast.Assign) if _freezes(node)]
    if len(found) != 1 or len(found[0].targets) != 1:
        return []
    target = source.text(found[0].targets[0])
    if _is_one_of_many(source.whole, line, source.text(found[0].targets[0].value)):
        return [line]
    every = [node for node in ast.walk(ast.parse(source.whole)) if isinstance(node, ast.Assign)]
    later = [node.lineno for node in every if node.lineno > line and _freezes(node)
             and len(node.targets) == 1 and source.text(node.targets[0]) == target]  # fmt: skip
    return [line, *sorted(later)]


def _thawed(source: Source, line: int) -> list[Edit]:
    (found,) = [node for node in source.at(line, ast.Assign) if _freezes(node)]
    layer = source.text(found.targets[0].value)
    if _is_one_of_many(source.whole, line, layer):
        return [source.replaced(found.value, f'"BatchNormalization" not in type({layer}).__name__')]
    rest = (
        f"for layer in {layer}.layers:\n"
        '    layer.trainable = "BatchNormalization" not in type(layer).__name__'
    )
    return [source.replaced(found.value, "True"), source.inserted(line, rest, behind=True)]


def trained_as_one(folder: Path, fit: Place) -> str | None:
    """Returns a fit on what `base.predict(images)` returned as a fit of base and head on the images."""

    def edit(source: Source, line: int) -> list[Edit]:
        fits = [call for call in source.at(line, ast.Call) if called(call) == "fit"]
        if len(fits) != 1 or not isinstance(fits[0].func, ast.Attribute):
            return []
        head, sequential = source.text(fits[0].func.value), written(source.whole, "Sequential", "models")
        compiled = [one for one in calls_of(source, "compile") if source.text(one.func) == f"{head}.compile"]
        computed = {name: call for name, call in _predicted(source).items() if _holds(fits[0], name)}
        bases = {source.text(call.func)[: -len(".predict")] for call in computed.values()}
        if len(bases) != 1 or len(compiled) != 1 or sequential is None:
            return []
        base = bases.pop()
        again = one_line(f"whole{source.text(compiled[0])[len(head) :]}")
        before = (
            f"{base}.trainable = True\n"
            f"for layer in {base}.layers:\n"
            '    layer.trainable = "BatchNormalization" not in type(layer).__name__\n'
            f"whole = {sequential}([{base}, {head}])\n{again}"
        )
        names = [node for node in ast.walk(fits[0]) if isinstance(node, ast.Name) and node.id in computed]
        images = [source.replaced(one, source.text(computed[one.id].args[0])) for one in names]
        fitted = source.replaced(fits[0].func.value, "whole")
        return [source.inserted(source.first_line(line), before), fitted, *images]

    return changed(folder, fit, edit)


def _predicted(source: Source) -> dict[str, ast.Call]:
    """Returns the names that are given what one `predict` returns, and never anything else."""
    assigned = [node for node in ast.walk(ast.parse(source.whole)) if isinstance(node, ast.Assign)]
    targets = [one.id for node in assigned for one in node.targets if isinstance(one, ast.Name)]
    return {
        name: node.value
        for node in assigned
        for name in [getattr(node.targets[0], "id", "")]
        if targets.count(name) == 1
        and isinstance(node.value, ast.Call)
        and called(node.value) == "predict"
        and node.value.args
    }


def _holds(call: ast.Call, name: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(call))


def _freezes(node: ast.Assign) -> bool:
    is_off = isinstance(node.value, ast.Constant) and node.value.value is False
    return is_off and all(isinstance(one, ast.Attribute) and one.attr == "trainable" for one in node.targets)


def _is_one_of_many(text: str, line: int, name: str) -> bool:
    """Returns whether a name runs through a loop around a line."""
    loops = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.For)]
    return any(
        isinstance(node.target, ast.Name)
        and node.target.id == name
        and node.lineno <= line <= (node.end_lineno or 0)
        for node in loops
    )


def activated(folder: Path, place: Place, loss: str) -> str | None:
    """Returns the last layer with the activation that its loss expects."""
    name = "sigmoid" if loss.startswith("binary_") else "softmax"

    def edit(source: Source, line: int) -> list[Edit]:
        layers = [call for call in source.at(line, ast.Call) if called(call) == "Dense"]
        if not layers:
            return []
        for word in layers[-1].keywords:
            if word.arg == "activation":
                is_none = isinstance(word.value, ast.Constant) and word.value.value in (None, "linear")
                return [source.replaced(word.value, f'"{name}"')] if is_none else []
        return [source.behind_last(layers[-1], f'activation="{name}"')]

    return changed(folder, place, edit)


def reactivated(folder: Path, place: Place, old: str, new: str) -> str | None:
    """Returns the last layer with another activation."""

    def edit(source: Source, line: int) -> list[Edit]:
        found = [node for node in source.at(line, ast.Constant) if node.value == old]
        return [source.replaced(found[-1], f'"{new}"')] if found else []

    return changed(folder, place, edit)


def hub_trained(folder: Path, place: Place) -> str | None:
    """Returns `hub.KerasLayer` with `trainable=True`."""

    def edit(source: Source, line: int) -> list[Edit]:
        layers = [call for call in source.at(line, ast.Call) if called(call) == "KerasLayer"]
        if len(layers) != 1:
            return []
        for word in layers[0].keywords:
            if word.arg == "trainable":
                return [source.replaced(word.value, "True")]
        return [source.behind_last(layers[0], "trainable=True")]

    return changed(folder, place, edit)
