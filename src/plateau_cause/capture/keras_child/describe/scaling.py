"""The line at which a script scales its pixels: arithmetic with 255 and the like, or a function for it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from plateau_cause.capture.child.places import Place, is_users
from plateau_cause.capture.child.plans import tree_of
from plateau_cause.capture.keras_child import quiet
from plateau_cause.capture.keras_child.describe import origins
from plateau_cause.capture.keras_child.feeds import Feed
from plateau_cause.capture.keras_child.scene import Scene

NUMBERS = (255, 256, 127.5, 128)
CALLS = ("preprocess_input", "convert_image_dtype", "per_image_standardization", "Rescaling")
DEPTH = 3  # of functions that call functions


def scaled_at(feed: Feed, name: str | None, scene: Scene) -> Place | None:
    """Returns the line that scales what a feed reads, the last of several; None where none is found.

    Args:
        feed: what is read.
        name: what the script calls it.
        scene: where pipelines have their steps.
    """
    if feed.kind == "arrays":
        return of_variable(name, getattr(sys.modules.get("__main__"), "__file__", None))
    if feed.kind != "tf.data":
        return None
    maps = [step for _, step in origins.chain(feed.x, scene) if step is not None and step.by == "map"]
    found = (in_function(quiet.plain(step.arguments["map_func"])) for step in maps)
    return next((place for place in found if place is not None), None)


def in_function(function: Any, depth: int = DEPTH) -> Place | None:
    """Returns the line of a function, or of those that it calls, that scales."""
    code = getattr(function, "__code__", None)
    if code is None or depth <= 0 or not is_users(code.co_filename):
        return None
    for node in _defined(code.co_filename, code.co_name, code.co_firstlineno):
        if lines := _lines([node]):
            return Place(code.co_filename, max(lines))
        called = (function.__globals__.get(name) for name in _called(node))
        inner = (in_function(one, depth - 1) for one in called)
        if (place := next((one for one in inner if one is not None), None)) is not None:
            return place
    return None


def of_variable(name: str | None, file: str | None) -> Place | None:
    """Returns the line of a script that scales one of its variables, or of the function that made it."""
    tree = tree_of(file) if name and file and is_users(file) else None
    if tree is None or file is None:
        return None
    given = [node for node in ast.walk(tree) if name in _targets(node)]
    names = {one for node in given for one in _called(node)}
    made = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name in names]
    lines = _lines(given) or _lines(made)
    return Place(file, max(lines)) if lines else None


def _lines(within: Sequence[ast.AST]) -> list[int]:
    """Returns the lines that scale by arithmetic, which is the script's own choice; else those that call."""
    nodes = [node for one in within for node in ast.walk(one)]
    return [one.lineno for one in nodes if _scales(one)] or [one.lineno for one in nodes if _asks(one)]  # type: ignore[attr-defined]


def _defined(file: str, name: str, line: int) -> Iterator[ast.AST]:
    tree = tree_of(file)
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Lambda) and name == "<lambda>" and node.lineno == line:
            yield node
        elif isinstance(node, ast.FunctionDef) and node.name == name:
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            if first == line:
                yield node


def _targets(node: ast.AST) -> set[str]:
    """Returns the names that a statement gives a value."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(
        node, (ast.AugAssign, ast.AnnAssign)) else []  # fmt: skip
    return {one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)}


def _called(node: ast.AST) -> set[str]:
    calls = [one.func for one in ast.walk(node) if isinstance(one, ast.Call)]
    return {one.id for one in calls if isinstance(one, ast.Name)}


def _asks(node: ast.AST) -> bool:
    """Returns whether a node calls a function of a library that scales."""
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
    return name in CALLS


def _scales(node: ast.AST) -> bool:
    if isinstance(node, ast.AugAssign):
        return _is_product(node.op) and _is_scale(node.value)
    return isinstance(node, ast.BinOp) and _is_product(node.op) and (
        _is_scale(node.right) or _is_scale(node.left)) and not _is_plain(node)  # fmt: skip


def _is_product(operator: ast.operator) -> bool:
    return isinstance(operator, (ast.Div, ast.Mult))


def _is_scale(value: ast.expr) -> bool:
    """Returns whether an expression is 255 or the like, or one over it."""
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Div):
        return _is_plain(value) and _is_scale(value.right)
    return isinstance(value, ast.Constant) and value.value in NUMBERS


def _is_plain(value: ast.BinOp) -> bool:
    """Returns whether both sides are numbers: `1 / 255` scales nothing by itself."""
    return isinstance(value.left, ast.Constant) and isinstance(value.right, ast.Constant)
