"""The steps of a loop: gradients cleared, modes set."""

from __future__ import annotations

import ast
from pathlib import Path

from plateau_cause.capture.patches.change import Place, changed
from plateau_cause.capture.patches.source import Edit, Source, called, method

BUILT_IN = ("len", "int", "float", "sum", "print")
MODELS = ("model", "net", "network", "module")  # as attributes of a trainer are called


def cleared(folder: Path, step: Place) -> str | None:
    """Returns the loop with `optimizer.zero_grad()` behind the step."""

    def edit(source: Source, line: int) -> list[Edit]:
        steps = [node for node in source.at(line, ast.Call) if method(node) == "step"]
        if len(steps) != 1:
            return []
        call = steps[0]
        named = source.text(call.args[0]) if call.args else source.text(call.func).rpartition(".")[0]
        return [source.inserted(line, f"{named}.zero_grad()", behind=True)]

    return changed(folder, step, edit)


def unbroken(folder: Path, leaving: Place) -> str | None:
    """Returns the loop without the statement that leaves it."""
    return changed(folder, leaving, lambda source, line: [source.dropped(line)])


def mode_set(folder: Path, loop: Place, call: Place, model: str | None, mode: str) -> str | None:
    """Returns the loop over the batches with `model.train()` or `model.eval()` before it."""
    if not loop or not call or loop["file"] != call["file"]:
        return None

    def edit(source: Source, line: int) -> list[Edit]:
        loops = [node for node in source.at(line, ast.For) if node.lineno == line]
        names = _variables(source, call["line"])
        chosen = model if model in names else next(iter(names)) if len(names) == 1 else None
        return [source.inserted(line, f"{chosen}.{mode}()")] if loops and chosen else []

    return changed(folder, loop, edit)


def mode_turned(folder: Path, place: Place, mode: str) -> str | None:
    """Returns the line that sets a model to the other mode, with `train()` or `eval()` in its place."""

    def edit(source: Source, line: int) -> list[Edit]:
        calls = [node for node in source.at(line, ast.Call)
                 if called(node) in ("train", "eval") and not node.keywords]  # fmt: skip
        if len(calls) != 1 or not isinstance(calls[0].func, ast.Attribute) or len(calls[0].args) > 1:
            return []
        return [source.replaced(calls[0], f"{source.text(calls[0].func.value)}.{mode}()")]

    return changed(folder, place, edit)


def mode_inverted(folder: Path, place: Place) -> str | None:
    """Returns the line that sets one mode or the other by a condition, with the condition turned round."""
    others = {ast.Eq: "==", ast.NotEq: "!="}

    def edit(source: Source, line: int) -> list[Edit]:
        calls = [node for node in source.at(line, ast.Call) if called(node) == "train" and not node.keywords]
        if len(calls) != 1 or len(calls[0].args) != 1:
            return []
        given = calls[0].args[0]
        if isinstance(given, ast.UnaryOp) and isinstance(given.op, ast.Not):
            return [source.replaced(given, source.text(given.operand))]
        if isinstance(given, ast.Compare) and len(given.ops) == 1 and type(given.ops[0]) in others:
            other = next(sign for kind, sign in others.items() if kind is not type(given.ops[0]))
            sides = source.text(given.left), source.text(given.comparators[0])
            return [source.replaced(given, f"{sides[0]} {other} {sides[1]}")]
        return [source.replaced(given, f"not ({source.text(given)})")]

    return changed(folder, place, edit)


def _variables(source: Source, line: int) -> set[str]:
    """Returns what is called in a line and may be a model: `model`, `self.net`."""
    called_here = [node.func for node in source.at(line, ast.Call)]
    names = {one.id for one in called_here if isinstance(one, ast.Name) and one.id not in BUILT_IN}
    own = {source.text(one) for one in called_here if isinstance(one, ast.Attribute) and one.attr in MODELS
           and isinstance(one.value, ast.Name) and one.value.id == "self"}  # fmt: skip
    return own if len(own) == 1 else names
