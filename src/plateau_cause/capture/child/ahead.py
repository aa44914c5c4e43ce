"""What a script has still to run: lines that unfreeze layers, or give an optimizer more to hold.

A peek sees the first steps only. Many scripts train the head first and everything later: what stands still
now is no fault where such a line follows.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from types import FrameType

from plateau_cause.capture.child.places import Place, is_users
from plateau_cause.capture.child.plans import tree_of

OPTIMIZERS = (
    "SGD",
    "Adam",
    "AdamW",
    "NAdam",
    "RAdam",
    "RMSprop",
    "Adagrad",
    "Adadelta",
    "Adamax",
    "Rprop",
    "LBFGS",
)
Test = Callable[[ast.AST], bool]
Loop = (ast.For, ast.While, ast.AsyncFor)
Scope = (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


def thaw_ahead(frame: FrameType | None) -> Place | None:
    """Returns the next line, in the functions that run, that lets parameters require gradients."""
    names = _functions_that(_thaws)
    return _first(frame, lambda node: _thaws(node) or _name(node) in names)


def hold_ahead(frame: FrameType | None) -> Place | None:
    """Returns the next line, in the functions that run, that builds or extends an optimizer."""
    names = _functions_that(_holds)
    return _first(frame, lambda node: _holds(node) or _name(node) in names)


def _first(frame: FrameType | None, is_wanted: Test) -> Place | None:
    while frame is not None:
        if is_users(frame.f_code.co_filename):
            found = [getattr(node, "lineno", 0) for node in _to_run(frame) if is_wanted(node)]
            if found:
                return Place(frame.f_code.co_filename, min(found))
        frame = frame.f_back
    return None


def _to_run(frame: FrameType) -> Iterator[ast.AST]:
    """Yields the nodes of a running function behind its line, and those of the loops around that line."""
    scope, line = _scope(frame), frame.f_lineno
    if scope is None:
        return
    own = list(_own(scope))
    loops = [node for node in own if isinstance(node, Loop) and node.lineno <= line <= (node.end_lineno or 0)]
    start = min((loop.lineno for loop in loops), default=line)
    yield from (node for node in own if getattr(node, "lineno", 0) > start)


def _scope(frame: FrameType) -> ast.AST | None:
    tree, code = tree_of(frame.f_code.co_filename), frame.f_code
    if tree is None or code.co_name == "<module>":
        return tree
    functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    around = [node for node in functions if node.lineno <= frame.f_lineno <= (node.end_lineno or 0)]
    return next((node for node in reversed(around) if node.name == code.co_name), None)


def _own(scope: ast.AST) -> Iterator[ast.AST]:
    """Yields the nodes that run when a scope runs: not those of the functions that it defines."""
    for child in ast.iter_child_nodes(scope):
        yield child
        if not isinstance(child, Scope):
            yield from _own(child)


def _functions_that(does: Test) -> frozenset[str]:
    """Returns the names of the user's functions whose body does something."""
    files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    trees = [tree_of(file) for file in files if file and is_users(file)]
    nodes = (node for tree in trees if tree is not None for node in ast.walk(tree))
    functions = (node for node in nodes if isinstance(node, ast.FunctionDef))
    return frozenset(node.name for node in functions if any(map(does, _own(node)))) - {"main", "__init__"}


def _thaws(node: ast.AST) -> bool:
    """Returns whether a node is `x.requires_grad = True` or `x.requires_grad_()`, or with a condition."""
    if isinstance(node, ast.Assign):
        is_flag = any(isinstance(one, ast.Attribute) and one.attr == "requires_grad" for one in node.targets)
        return is_flag and not _is_false(node.value)
    if isinstance(node, ast.Call) and _name(node) == "requires_grad_":
        return not any(_is_false(one) for one in [*node.args, *(word.value for word in node.keywords)])
    return False


def _holds(node: ast.AST) -> bool:
    return _name(node) in ("add_param_group", *OPTIMIZERS)


def _name(node: ast.AST) -> str | None:
    """Returns the last name of what is called."""
    if not isinstance(node, ast.Call):
        return None
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False
