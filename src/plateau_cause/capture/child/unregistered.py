"""Modules that a model calls and does not know of: torch finds none in a list or a dict of Python's own.

They are trained by nobody, as `parameters()` leaves them out, and stay in the mode that they were built in.
"""

from __future__ import annotations

import ast
import inspect
import itertools
from collections.abc import Iterator
from typing import Any

from plateau_cause.capture.child.places import Place, is_users
from plateau_cause.capture.child.plans import tree_of

MOST = 64  # modules of one list


def unregistered(model: Any) -> dict[str, Any]:
    """Returns such modules by name, `branches[0]` say, that have gradients: a teacher has none."""
    known = {id(one) for one in model.parameters()}
    found: dict[str, Any] = {}
    for prefix, module in model.named_modules():
        for name, value in vars(module).items():
            if name in ("_modules", "_parameters", "_buffers"):
                continue
            for index, one in itertools.islice(_items(value), MOST):
                is_module = hasattr(one, "named_parameters") and not isinstance(one, type)
                own = list(one.parameters()) if is_module else []
                if any(each.grad is not None and id(each) not in known for each in own):
                    found[f"{prefix}.{name}[{index}]".lstrip(".")] = one
    return found


def kept_at(model: Any) -> Place | None:
    """Returns the line that puts the first of these modules where torch does not look; None without one."""
    first = next(iter(unregistered(model)), None)
    if first is None:
        return None
    path = first.partition("[")[0]
    owner = dict(model.named_modules())[path.rpartition(".")[0]]
    try:
        file = inspect.getsourcefile(type(owner))
    except TypeError:  # of a notebook, or built in
        return None
    tree = tree_of(file) if file and is_users(file) else None
    name = path.rpartition(".")[2]
    lines = [node.lineno for node in ast.walk(tree or ast.Module([], [])) if isinstance(node, ast.Assign)
             and any(getattr(one, "attr", None) == name for one in node.targets)]  # fmt: skip
    return Place(file, min(lines)) if file and lines else None


def _items(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, (list, tuple)):
        yield from enumerate(value)
    elif isinstance(value, dict):
        yield from ((repr(key), one) for key, one in value.items())
