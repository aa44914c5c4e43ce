"""What the user's code calls an object."""

from __future__ import annotations

import ast
import sys
from types import FrameType
from typing import Any

from plateau_cause.capture.child.places import Place, frame_here, is_users
from plateau_cause.capture.child.plans import tree_of


def name_in(frame: FrameType | None, wanted: Any) -> str | None:
    """Returns the expression by which the code around a frame reaches an object, such as `loaders["val"]`.

    Looks at the variables of the user's functions that are running, and one step into dicts, lists and
    the attributes of `self`; the outermost name wins, as that is what the user reads.
    """
    found = None
    while frame is not None:
        if is_users(frame.f_code.co_filename):
            found = _among(frame.f_locals, wanted) or found
        frame = frame.f_back
    return found


def name_of(wanted: Any, place: Place | None) -> str | None:
    """Returns what the script calls an object that it has not used yet: its variable."""
    script = vars(sys.modules["__main__"])
    return name_in(frame_here(), wanted) or _among(script, wanted) or (_assigned(place) if place else None)


def assigned_at(wanted: Any) -> Place | None:
    """Returns the line that assigned the variable which holds an object; None where none does."""
    frame, name, file = frame_here(), None, None
    while frame is not None and name is None:
        file, name = frame.f_code.co_filename, _among(frame.f_locals, wanted)
        frame = frame.f_back
    if name is None:
        script = vars(sys.modules["__main__"])
        file, name = script.get("__file__"), _among(script, wanted)
    tree = tree_of(file) if file and name and is_users(file) else None
    root = (name or "").partition("[")[0]
    lines = [node.lineno for node in ast.walk(tree or ast.Module([], [])) if isinstance(node, ast.Assign)
             and any(ast.unparse(one) == root for one in node.targets)]  # fmt: skip
    return Place(file, max(lines)) if file and lines else None


def function_at(place: Place) -> str | None:
    """Returns the function that a line stands in: `train_dataloader` of a data module, say."""
    tree = tree_of(place.file)
    nodes = [] if tree is None else list(ast.walk(tree))
    around = [node for node in nodes if isinstance(node, ast.FunctionDef)
              and node.lineno <= place.line <= (node.end_lineno or 0)]  # fmt: skip
    return around[-1].name if around and around[-1].name != "main" else None


def is_used(name: str | None) -> bool:
    """Returns whether the user's code ever reads a variable; True where that cannot be told."""
    files = {str(getattr(one, "__file__", None) or "") for one in list(sys.modules.values())}
    trees = [tree_of(file) for file in files if file.endswith(".py") and is_users(file)]
    found = [type(node.ctx) for tree in trees for node in ast.walk(tree or ast.Module([], []))
             if isinstance(node, ast.Name) and node.id == name]  # fmt: skip
    return ast.Load in found or ast.Store not in found


def _assigned(place: Place) -> str | None:
    """Returns the variable that a line assigns to."""
    tree = tree_of(place.file)
    if tree is None:
        return None
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Assign)
             and node.lineno <= place.line <= (node.end_lineno or node.lineno)]  # fmt: skip
    target = found[-1].targets[0] if found else None
    return ast.unparse(target) if isinstance(target, (ast.Name, ast.Attribute)) else None


def _among(variables: dict[str, Any], wanted: Any) -> str | None:
    public = {name: value for name, value in variables.items() if not name.startswith("_")}
    for name, value in public.items():
        if value is wanted:
            return name
    for name, value in public.items():
        if inside := _inside(name, value, wanted):
            return inside
    return None


def _inside(name: str, value: Any, wanted: Any) -> str | None:
    if type(value) is dict:
        return next((f'{name}["{key}"]' for key, item in value.items() if item is wanted), None)
    if type(value) in (list, tuple):
        return next((f"{name}[{index}]" for index, item in enumerate(value) if item is wanted), None)
    if name == "self" or name.endswith("er"):  # trainer, learner, self
        attributes = getattr(value, "__dict__", {})
        parts = attributes.get("_modules")  # of a module; others may call a list so
        attributes = {**attributes, **(parts if isinstance(parts, dict) else {})}
        return next((f"{name}.{key}" for key, item in attributes.items() if item is wanted), None)
    parts = getattr(value, "_modules", None)  # of a module
    if type(parts) is dict:
        return next((f"{name}.{key}" for key, item in parts.items() if item is wanted), None)
    return None
