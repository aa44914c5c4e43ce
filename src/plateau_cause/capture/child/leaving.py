"""After how many batches a script leaves its loop over a loader, by a `break` of its own.

Only what stands there in plain sight is told: `break` under no condition, under a flag that is set, or where
the number that `enumerate` gives is compared with another.
"""

from __future__ import annotations

import ast
from types import FrameType
from typing import Any

from plateau_cause.capture.child.places import Place, is_users
from plateau_cause.capture.child.plans import evaluated, tree_of

ADDED = {ast.GtE: 0, ast.Eq: 0, ast.Gt: 1}  # batches that a comparison lets through beyond its limit
WORKS = ("backward", "step")  # calls in front of which a break leaves a batch unused


def left_after(frame: FrameType | None) -> dict[str, Any] | None:
    """Returns after how many batches the loop is left whose header a frame is at.

    Returns:
        batches; place, of the statement that leaves; last, the line that it ends at. None where none does.
    """
    if frame is None or not is_users(file := frame.f_code.co_filename):
        return None
    for loop in ast.walk(tree_of(file) or ast.Module([], [])):
        if isinstance(loop, ast.For) and loop.lineno <= frame.f_lineno <= (loop.iter.end_lineno or 0):
            return _left(loop, frame)
    return None


def _left(loop: ast.For, frame: FrameType) -> dict[str, Any] | None:
    works = [number for number, one in enumerate(loop.body) if _works(one)]
    for number, one in enumerate(loop.body):
        batches = _batches(one, loop, frame)
        if batches is not None:
            used = batches + bool(works and number > works[-1])
            place = Place(frame.f_code.co_filename, one.lineno)
            return {"batches": used, "place": place, "last": one.end_lineno}
    return None


def _batches(one: ast.stmt, loop: ast.For, frame: FrameType) -> int | None:
    """Returns how many batches pass a statement before it leaves the loop; None of one that does not."""
    if isinstance(one, ast.Break):
        return 0
    if not isinstance(one, ast.If) or one.orelse or not any(isinstance(step, ast.Break) for step in one.body):
        return None
    test = one.test
    if not isinstance(test, ast.Compare):
        return 0 if evaluated(test, frame) is True else None
    limit = evaluated(test.comparators[0], frame)
    added = ADDED.get(type(test.ops[0]))
    is_counted = isinstance(test.left, ast.Name) and test.left.id == _counter(loop)
    if len(test.ops) != 1 or added is None or not is_counted or not isinstance(limit, int):
        return None
    return max(limit + added, 0)


def _counter(loop: ast.For) -> str | None:
    """Returns the name that `enumerate` gives its numbers, from 0."""
    calls = [node for node in ast.walk(loop.iter) if isinstance(node, ast.Call)]
    counts = [one for one in calls if getattr(one.func, "id", "") == "enumerate" and len(one.args) == 1]
    target = loop.target.elts[0] if isinstance(loop.target, ast.Tuple) and loop.target.elts else None
    return target.id if counts and not counts[0].keywords and isinstance(target, ast.Name) else None


def _works(one: ast.stmt) -> bool:
    calls = (node for node in ast.walk(one) if isinstance(node, ast.Call))
    return any(getattr(call.func, "attr", "") in WORKS for call in calls)
