"""After how many batches a script leaves its loop over a loader, by a `break` of its own.

Only what stands there in plain sight is told: `break` under no condition, under a flag that is set, or where
the number that `enumerate` gives, or one that is set before the loop and raised in it, is compared; and
`islice`, which hands on the first batches.
"""

from __future__ import annotations

import ast
from types import FrameType
from typing import Any

from plateau_cause.capture.child.places import Place, is_users
from plateau_cause.capture.child.plans import evaluated, is_raised, tree_of

ADDED = {ast.GtE: 0, ast.Eq: 0, ast.Gt: 1}  # batches that a comparison lets through beyond its limit
WORKS = ("backward", "step")  # calls in front of which a break leaves a batch unused


def left_after(frame: FrameType | None) -> dict[str, Any] | None:
    """Returns after how many batches the loop is left whose header a frame is at.

    Returns:
        batches; place, of the statement that leaves; last, the line that it ends at, None of the loop's own
        header. None where none does.
    """
    if frame is None or not is_users(file := frame.f_code.co_filename):
        return None
    nodes = list(ast.walk(tree_of(file) or ast.Module([], [])))
    for loop in nodes:
        if isinstance(loop, ast.For) and loop.lineno <= frame.f_lineno <= (loop.iter.end_lineno or 0):
            return _sliced(loop, frame) or _left(loop, _set_before(loop, nodes), frame)
    return None


def _sliced(loop: ast.For, frame: FrameType) -> dict[str, Any] | None:
    calls = [one for one in ast.walk(loop.iter) if isinstance(one, ast.Call) and _named(one) == "islice"]
    limit = evaluated(calls[0].args[1], frame) if calls and len(calls[0].args) == 2 else None
    place = Place(frame.f_code.co_filename, loop.lineno)
    return {"batches": limit, "place": place, "last": None} if isinstance(limit, int) else None


def _set_before(loop: ast.For, nodes: list[ast.AST]) -> dict[str, int]:
    """Returns the numbers that names are set to in front of a loop, in each round of what is around it."""
    bodies = [body for node in nodes for body in _bodies(node) if loop in body]
    around = bodies[0][: bodies[0].index(loop)] if bodies else []
    return {
        one.targets[0].id: one.value.value
        for one in around
        if isinstance(one, ast.Assign) and len(one.targets) == 1 and isinstance(one.targets[0], ast.Name)
        and isinstance(one.value, ast.Constant) and isinstance(one.value.value, int)
    }  # fmt: skip


def _bodies(node: ast.AST) -> list[list[ast.stmt]]:
    return [body for name in ("body", "orelse") if isinstance(body := getattr(node, name, None), list)]


def _left(loop: ast.For, before: dict[str, int], frame: FrameType) -> dict[str, Any] | None:
    counters = {name: 0 for name in [_counter(loop)] if name}
    works = [number for number, one in enumerate(loop.body) if _works(one)]
    for number, one in enumerate(loop.body):
        if is_raised(one) and (name := ast.unparse(one.target)) in before:
            counters[name] = before[name] + 1
        batches = _batches(one, counters, frame)
        if batches is not None:
            used = batches + bool(works and number > works[-1])
            place = Place(frame.f_code.co_filename, one.lineno)
            return {"batches": used, "place": place, "last": one.end_lineno}
    return None


def _batches(one: ast.stmt, counters: dict[str, int], frame: FrameType) -> int | None:
    """Returns how many batches pass a statement before it leaves the loop; None of one that does not.

    Args:
        one: of the loop's body.
        counters: what each holds there when the first batch does.
        frame: of the loop.
    """
    if isinstance(one, ast.Break):
        return 0
    if not isinstance(one, ast.If) or one.orelse or not any(isinstance(step, ast.Break) for step in one.body):
        return None
    test = one.test
    if not isinstance(test, ast.Compare):
        return 0 if evaluated(test, frame) is True else None
    limit = evaluated(test.comparators[0], frame)
    added = ADDED.get(type(test.ops[0]))
    first = counters.get(ast.unparse(test.left))
    if len(test.ops) != 1 or added is None or first is None or not isinstance(limit, int):
        return None
    return max(limit + added - first, 0)


def _counter(loop: ast.For) -> str | None:
    """Returns the name that `enumerate` gives its numbers, from 0."""
    calls = [node for node in ast.walk(loop.iter) if isinstance(node, ast.Call)]
    counts = [one for one in calls if _named(one) == "enumerate" and len(one.args) == 1]
    target = loop.target.elts[0] if isinstance(loop.target, ast.Tuple) and loop.target.elts else None
    return target.id if counts and not counts[0].keywords and isinstance(target, ast.Name) else None


def _works(one: ast.stmt) -> bool:
    calls = (node for node in ast.walk(one) if isinstance(node, ast.Call))
    return any(_named(call) in WORKS for call in calls)


def _named(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))
