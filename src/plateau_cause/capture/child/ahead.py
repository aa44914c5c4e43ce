"""What a script has still to run: lines that unfreeze layers, give an optimizer more to hold, or train anew.

A peek sees the first steps only. Many scripts train the head first and everything later: what stands still
now is no fault where such a line follows.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from plateau_cause.capture.child.places import Place, is_users
from plateau_cause.capture.child.plans import tree_of

OPTIMIZERS = (
    "SGD", "Adam", "AdamW", "NAdam", "RAdam", "RMSprop", "Adagrad", "Adadelta", "Adamax", "Rprop", "LBFGS",
)  # fmt: skip
Test = Callable[[ast.AST], bool]
Loop = (ast.For, ast.While, ast.AsyncFor)
Scope = (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


def thaw_ahead(frame: FrameType | None) -> Place | None:
    """Returns the next line, in the functions that run, that lets parameters require gradients."""
    return _first(frame, _thaws)


def hold_ahead(frame: FrameType | None) -> Place | None:
    """Returns the next line, in the functions that run, that builds or extends an optimizer."""
    return _first(frame, _holds)


def model_ahead(frame: FrameType | None, model: Any) -> Place | None:
    """Returns the next line that builds an optimizer for another model than the one that trains now.

    That is the parameters of a variable which holds neither the model nor a part or whole of it.
    """
    for one in _users(frame):
        known = {**one.f_globals, **one.f_locals}
        for node in _to_run(one):
            names = _owners(node) if _name(node) in OPTIMIZERS else set()
            if names and not any(_is_of(known.get(name), model) for name in names):
                return Place(one.f_code.co_filename, getattr(node, "lineno", 0))
    return None


def _owners(node: ast.AST) -> set[str]:
    """Returns the variables whose `parameters()` a call is given."""
    called = [one.func for one in ast.walk(node) if isinstance(one, ast.Call)]
    methods = [one for one in called if isinstance(one, ast.Attribute) and one.attr == "parameters"]
    return {name for one in methods for name in _roots(one.value)}


def _roots(value: ast.expr) -> set[str]:
    while isinstance(value, ast.Attribute):
        value = value.value
    return {value.id} if isinstance(value, ast.Name) else set()


def _is_of(value: Any, model: Any) -> bool:
    """Returns whether a variable holds a model, a part of it, or what it is a part of."""
    if not hasattr(value, "parameters"):
        return False
    own = {id(one) for one in model.parameters()}
    return any(id(one) in own for one in value.parameters())


def _first(frame: FrameType | None, does: Test) -> Place | None:
    frames = _users(frame)
    running = {one.f_code.co_name for one in frames}  # called again they do the same again, to another model
    names = _functions_that(does) - running
    for one in frames:
        found = [getattr(node, "lineno", 0) for node in _to_run(one) if does(node) or _name(node) in names]
        if found:
            return Place(one.f_code.co_filename, min(found))
    return None


def _users(frame: FrameType | None) -> list[FrameType]:
    found = []
    while frame is not None:
        if is_users(frame.f_code.co_filename):
            found.append(frame)
        frame = frame.f_back
    return found


def _to_run(frame: FrameType) -> Iterator[ast.AST]:
    """Yields the nodes of a running function behind its line, and what may change in a loop around it."""
    scope, line = _scope(frame), frame.f_lineno
    if scope is None:
        return
    own = list(_own(scope))
    yield from (node for node in own if getattr(node, "lineno", 0) > line)
    loops = [node for node in own if isinstance(node, Loop) and node.lineno <= line <= (node.end_lineno or 0)]
    for loop, node in ((around, inner) for around in loops for inner in _own(around)):
        if getattr(node, "lineno", line) >= line:
            continue
        if isinstance(node, ast.If) and not node.lineno <= line <= (node.end_lineno or 0):
            yield from _own(node)  # not in this round, perhaps
        elif _depends(node) or _is_given(node, loop):
            yield node


def _depends(node: ast.AST) -> bool:
    """Returns whether a flag is given a value that may differ from round to round: `epoch > 3`."""
    given = [node.value] if isinstance(node, ast.Assign) else node.args if isinstance(node, ast.Call) else []
    return _thaws(node) and bool(given) and not any(isinstance(one, ast.Constant) for one in given)


def _is_given(node: ast.AST, loop: ast.AST) -> bool:
    """Returns whether a call is given what the loop goes through: `set_trainable(model, stage)`."""
    goes = {one.id for one in ast.walk(getattr(loop, "target", loop)) if isinstance(one, ast.Name)}
    parts = node.args if isinstance(node, ast.Call) else []
    given = [one for part in parts for one in ast.walk(part) if isinstance(one, ast.Name)]
    return isinstance(loop, ast.For) and any(one.id in goes for one in given)


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
