"""How many epochs a script plans: the loop around its training loop, read and evaluated.

That is `for … in range(…)`, or `while epoch < n` with a counter that the loop raises by one.
"""

from __future__ import annotations

import ast
import linecache
import math
from collections.abc import Iterator
from functools import cache
from types import FrameType, TracebackType
from typing import TypeGuard

from plateau_cause.capture.child.places import Place, is_users

PLAIN = (
    ast.Expression, ast.Name, ast.Attribute, ast.Constant, ast.BinOp, ast.operator, ast.UnaryOp, ast.unaryop,
    ast.Subscript, ast.Load,
)  # fmt: skip
RANGES = ("range", "trange")
Loop = ast.For | ast.While
_begun: dict[Place, int] = {}  # rounds of a `while`, read when it was first seen: its counter moves on


def rounds_around(frame: FrameType | None) -> tuple[int, Place] | None:
    """Returns the rounds of the innermost loop around a line of which they can be told, and its place.

    A loop that takes one batch in each round, by `next`, itself or by a function, counts steps.
    """
    is_first, takes_one = True, False
    while frame is not None:
        file = frame.f_code.co_filename
        if is_users(file):
            loops = _loops(file, frame.f_lineno)
            if is_first:
                takes_one = _takes_one(loops[0] if loops else tree_of(file), frame.f_lineno)
            counts_steps, is_first = takes_one and bool(loops), False
            takes_one = takes_one and not loops
            for loop in loops[counts_steps:]:
                place = Place(file, loop.lineno)
                rounds = _rounds(loop, frame) if isinstance(loop, ast.For) else _counted(loop, frame, place)
                if rounds is not None:
                    return rounds, place
        frame = frame.f_back
    return None


def steps_around(frame: FrameType | None) -> tuple[int, Place] | None:
    """Returns the steps that the loops around a line take together, and the innermost loop.

    None where one of them goes through batches: a loader says how many these are. Loops that go round once
    in all, or of which it cannot be told, end the count.
    """
    steps, innermost = 1, None
    while frame is not None:
        file = frame.f_code.co_filename
        for loop in _loops(file, frame.f_lineno) if is_users(file) else ():
            place = Place(file, loop.lineno)
            rounds = _rounds(loop, frame) if isinstance(loop, ast.For) else _counted(loop, frame, place)
            if rounds is None:
                return (steps, innermost) if innermost and isinstance(loop, ast.While) else None
            steps, innermost = steps * max(rounds, 1), innermost or place
        frame = frame.f_back
    return (steps, innermost) if innermost else None


def is_inside(trace: TracebackType | None, loop: Place) -> bool:
    """Returns whether an error was raised within the loop that begins at a line."""
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == loop.file and any(
            one.lineno == loop.line for one in _loops(loop.file, trace.tb_lineno)
        ):
            return True
        trace = trace.tb_next
    return False


@cache
def tree_of(file: str) -> ast.AST | None:
    """Returns the syntax tree of a file; None where it is no Python."""
    try:
        return ast.parse("".join(linecache.getlines(file)))
    except SyntaxError:
        return None


def _loops(file: str, line: int) -> list[Loop]:
    """Returns the loops whose body holds a line, innermost first."""
    tree = tree_of(file)
    loops = [node for node in ast.walk(tree) if isinstance(node, Loop)] if tree is not None else []
    around = [one for one in loops if one.lineno < line <= (one.end_lineno or one.lineno)]
    return sorted(around, key=lambda one: -one.lineno)


def _takes_one(around: ast.AST | None, line: int) -> bool:
    """Returns whether a line takes the next batch, or begins anew where there was none left.

    Args:
        around: the loop that holds it, or the file where none does.
        line: that reads.
    """
    nodes = list(ast.walk(around)) if around is not None else []
    calls = [node for node in nodes if isinstance(node, ast.Call) and node.lineno == line]
    if any(isinstance(one.func, ast.Name) and one.func.id == "next" for one in calls):
        return True
    handlers = [node for node in nodes if isinstance(node, ast.ExceptHandler)]
    is_handler = any(one.lineno <= line <= (one.end_lineno or 0) for one in handlers)
    return is_handler and not any(isinstance(node, ast.For) and node.lineno == line for node in nodes)


def _rounds(loop: ast.For, frame: FrameType) -> int | None:
    """Returns the length of `range(…)`, also within `tqdm(range(…))`; None for anything else."""
    calls = [node for node in ast.walk(loop.iter) if isinstance(node, ast.Call)]
    ranges = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in RANGES]
    if not ranges:
        return None
    values = [evaluated(argument, frame) for argument in ranges[0].args]
    limits = [value for value in values if isinstance(value, int)]
    return len(range(*limits)) if limits and len(limits) == len(values) else None


def _counted(loop: ast.While, frame: FrameType, place: Place) -> int | None:
    """Returns how often `while counter < limit` goes round; None where the loop does not count by ones."""
    if place in _begun:
        return _begun[place]
    raised = _raised_elsewhere(place.file)
    raised |= {ast.unparse(one.target): one.lineno for one in _own(loop.body) if is_raised(one)}
    for test in [node for node in ast.walk(loop.test) if isinstance(node, ast.Compare)]:
        counter, limit = ast.unparse(test.left), evaluated(test.comparators[0], frame)
        now, is_last_in = evaluated(test.left, frame), isinstance(test.ops[0], ast.LtE)
        is_counted = counter in raised and len(test.ops) == 1 and isinstance(test.ops[0], (ast.Lt, ast.LtE))
        if is_counted and isinstance(now, int) and isinstance(limit, int):
            _begun[place] = limit - now + is_last_in + (raised[counter] < frame.f_lineno)
            return _begun[place]
    return None


def _raised_elsewhere(file: str) -> dict[str, float]:
    """Returns the counters of an object, `self.epoch`, that one line of a file raises by one."""
    nodes = [node for node in ast.walk(tree_of(file) or ast.Module([], [])) if isinstance(node, ast.stmt)]
    names = [ast.unparse(one.target) for one in nodes if is_raised(one)]
    return {name: math.inf for name in names if "." in name and names.count(name) == 1}


def _own(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yields the statements that run once in each round: not those of loops and functions within."""
    for one in body:
        yield one
        if isinstance(one, (ast.If, ast.With, ast.Try)):
            yield from _own([*one.body, *getattr(one, "orelse", []), *getattr(one, "finalbody", [])])


def is_raised(one: ast.stmt) -> TypeGuard[ast.AugAssign]:
    """Returns whether a statement raises a counter by one."""
    if not (isinstance(one, ast.AugAssign) and isinstance(one.op, ast.Add)):
        return False
    return isinstance(one.value, ast.Constant) and one.value.value == 1


def evaluated(expression: ast.expr, frame: FrameType) -> object:
    """Evaluates names, attributes and arithmetic; None for what could have an effect."""
    whole = ast.Expression(expression)
    if not all(isinstance(node, PLAIN) for node in ast.walk(whole)):
        return None
    try:
        return eval(compile(whole, "<plan>", "eval"), frame.f_globals, frame.f_locals)
    except Exception:
        return None
