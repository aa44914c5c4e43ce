"""Where a file of the user's functions (`recipe.code`) decides what a cause names, and the change to it."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plateau_cause.capture.patches.loss import without_activation
from plateau_cause.capture.patches.model import held_whole, unfrozen
from plateau_cause.capture.patches.source import Edit, Source, called

Entries = Mapping[str, Any]  # dotted keys of params.yaml with what they would be


@dataclass(frozen=True)
class Found:
    """A place in the file: the function that decides, the line, and the change where it is certain."""

    function: str
    line: int
    patch: str | None = None


def locate(path: Path, cause: str, function: str, entries: Entries) -> Found | None:
    """Returns where the file decides what a cause names; None where it cannot be read or does not define it.

    Args:
        path: the file.
        cause: a name of a cause.
        function: the function of the file that decides it.
        entries: what the declared recipe would say instead, such as `recipe.optimizer.learning_rate`.
    """
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, SyntaxError, ValueError):
        return None
    defined = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function]
    if not defined:
        return None
    look = IN_PLAIN_SIGHT.get(cause)
    place = look(path, tree, defined[-1], entries) if look is not None else None
    return Found(function, *place) if place is not None else Found(function, defined[-1].lineno)


Place = tuple[int, str | None] | None


def _unfrozen(path: Path, tree: ast.Module, function: ast.FunctionDef, entries: Entries) -> Place:
    assigned = [node for node in ast.walk(function) if isinstance(node, ast.Assign)]
    lines = [node.lineno for node in assigned if _is_frozen(node)]
    return _only(lines, lambda line: unfrozen(path.parent, {"file": path.name, "line": line}))


def _is_frozen(node: ast.Assign) -> bool:
    """Returns whether an assignment reads `….requires_grad = False`."""
    named = any(
        isinstance(target, ast.Attribute) and target.attr == "requires_grad" for target in node.targets
    )
    return named and isinstance(node.value, ast.Constant) and node.value.value is False


def _held_whole(path: Path, tree: ast.Module, function: ast.FunctionDef, entries: Entries) -> Place:
    model = function.args.args[0].arg if function.args.args else None
    lines = [call.lineno for call in _calls(function, "parameters") if _is_part(call, model)]
    place = {"file": path.name}
    return _only(
        lines, lambda line: held_whole(path.parent, {**place, "line": line}, [model] if model else [])
    )


def _is_part(call: ast.Call, model: str | None) -> bool:
    """Returns whether `parameters()` is asked of a part of the model, not of the whole."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    return isinstance(owner, ast.Attribute | ast.Subscript) and model in _names(owner)


def _names(node: ast.AST) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def _rated(path: Path, tree: ast.Module, function: ast.FunctionDef, entries: Entries) -> Place:
    rate = entries.get("recipe.optimizer.learning_rate")
    given = [
        keyword.value
        for call in ast.walk(function)
        if isinstance(call, ast.Call)
        for keyword in call.keywords
        if keyword.arg == "lr" and isinstance(keyword.value, ast.Constant)
    ]
    if len(given) != 1 or rate is None:
        return (given[0].lineno, None) if given else None
    return given[0].lineno, _changed(path, lambda source: [source.replaced(given[0], f"{rate:.3g}")])


def _normalised(path: Path, tree: ast.Module, function: ast.FunctionDef, entries: Entries) -> Place:
    values = [entries.get(f"recipe.preprocessing.{key}") for key in ("mean", "std")]
    calls = list(_calls(tree, "Normalize"))
    if len(calls) != 1 or not all(isinstance(value, list) for value in values):
        return (calls[0].lineno, None) if calls else None
    mean, std = values

    def edit(source: Source) -> list[Edit]:
        name = source.text(calls[0].func)
        return [source.replaced(calls[0], f"{name}({mean}, {std})")]

    return calls[0].lineno, _changed(path, edit)


def _without_softmax(path: Path, tree: ast.Module, function: ast.FunctionDef, entries: Entries) -> Place:
    lines = [call.lineno for name in ("softmax", "Softmax") for call in _calls(tree, name)]
    place = {"file": path.name}
    return _only(
        lines,
        lambda line: without_activation(
            path.parent, {"function": "softmax", "place": {**place, "line": line}}
        ),
    )


def _with_gradients(path: Path, tree: ast.Module, function: ast.FunctionDef, entries: Entries) -> Place:
    """Finds the one `with torch.no_grad():` in a forward, and takes its block out of it."""
    blocks = [
        node
        for forward in ast.walk(tree)
        if isinstance(forward, ast.FunctionDef) and forward.name == "forward"
        for node in ast.walk(forward)
        if isinstance(node, ast.With) and len(node.items) == 1 and _is_no_grad(node.items[0].context_expr)
    ]
    if len(blocks) != 1:
        return (blocks[0].lineno, None) if blocks else None
    return blocks[0].lineno, _diff(path, _dedented(path.read_text(encoding="utf-8"), blocks[0]))


def _is_no_grad(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and called(node) in ("no_grad", "inference_mode")


def _dedented(text: str, block: ast.With) -> str:
    """Returns the text without the line of a `with`, its block where the line stood."""
    lines = text.splitlines(True)
    header = block.items[-1].context_expr.end_lineno or block.lineno
    by = block.body[0].col_offset - block.col_offset
    inner = [line[by:] if line[:by].isspace() else line for line in lines[header : block.end_lineno]]
    last = block.end_lineno or header
    return "".join([*lines[: block.lineno - 1], *inner, *lines[last:]])


def _calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call) and called(node) == name)


def _only(lines: list[int], patch: Callable[[int], str | None]) -> Place:
    """Returns the first of the lines, with the change where it is the only one."""
    return None if not lines else (lines[0], patch(lines[0]) if len(lines) == 1 else None)


def _changed(path: Path, edit: Callable[[Source], list[Edit]]) -> str | None:
    text = path.read_text(encoding="utf-8")
    after = text
    for start, end, new in sorted(edit(Source(text)), reverse=True):
        after = after[:start] + new + after[end:]
    return _diff(path, after)


def _diff(path: Path, after: str) -> str | None:
    """Returns the change as a unified diff; None where the file would not parse after it."""
    try:
        ast.parse(after)
    except SyntaxError:
        return None
    before = path.read_text(encoding="utf-8").splitlines(True)
    lines = difflib.unified_diff(before, after.splitlines(True), f"a/{path.name}", f"b/{path.name}")
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines) or None


IN_PLAIN_SIGHT: dict[str, Callable[[Path, ast.Module, ast.FunctionDef, Entries], Place]] = {
    "frozen_layers": _unfrozen,
    "optimizer_parameters": _held_whole,
    "learning_rate_low": _rated,
    "learning_rate_high": _rated,
    "preprocessing": _normalised,
    "head": _without_softmax,
    "weights_update": _with_gradients,
}
