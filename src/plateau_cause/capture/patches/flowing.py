"""Gradients that flow on through a line that stops them."""

from __future__ import annotations

import ast
from pathlib import Path

from plateau_cause.capture.patches.change import Place, changed
from plateau_cause.capture.patches.source import Edit, Source, called, method

CONTEXTS = ("no_grad", "inference_mode")  # without an argument


def flows(folder: Path, place: Place) -> str | None:
    """Returns the line without what stops gradients there: `detach()`, `no_grad()` and the like."""
    return changed(folder, place, flowing)


def flowing(source: Source, line: int) -> list[Edit]:
    """Returns the edits of a line that let gradients through; none where it is not seen what stops them."""
    calls: list[ast.Call] = source.at(line, ast.Call)
    detached = [one for one in calls if method(one) == "detach" and not one.args and not one.keywords]
    if len(detached) == 1:
        whole = source.text(detached[0])
        return [source.replaced(detached[0], whole[: whole.rindex(".detach")].rstrip())]
    contexts = [one for one in calls if called(one) in CONTEXTS and not one.args and not one.keywords]
    if len(contexts) == 1:
        return [source.replaced(contexts[0].func, _named(source, contexts[0].func))]
    flags = [one for one in calls if called(one) == "set_grad_enabled" and len(one.args) == 1]
    off = [
        one.args[0] for one in flags if isinstance(one.args[0], ast.Constant) and one.args[0].value is False
    ]
    return [source.replaced(off[0], "True")] if len(off) == 1 else []


def _named(source: Source, function: ast.expr) -> str:
    """Returns `torch.enable_grad` in place of `torch.no_grad`."""
    owner = f"{source.text(function.value)}." if isinstance(function, ast.Attribute) else "torch."
    return f"{owner}enable_grad"
