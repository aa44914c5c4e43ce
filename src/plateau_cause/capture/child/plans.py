"""How many epochs a script plans: the `for … in range(…)` around its training loop, read and evaluated."""

from __future__ import annotations

import ast
import linecache
from functools import cache
from types import FrameType, TracebackType

from plateau_cause.capture.child.places import Place, is_users

PLAIN = (
    ast.Expression, ast.Name, ast.Attribute, ast.Constant, ast.BinOp, ast.operator, ast.UnaryOp, ast.unaryop,
    ast.Subscript, ast.Load,
)  # fmt: skip
RANGES = ("range", "trange")


def rounds_around(frame: FrameType | None) -> tuple[int, Place] | None:
    """Returns the rounds of the innermost `for … in range(…)` that runs around a line, and its place.

    A loop that takes one batch in each round, by `next`, counts steps.
    """
    is_first = True
    while frame is not None:
        file = frame.f_code.co_filename
        if is_users(file):
            loops = _loops(file, frame.f_lineno)
            counts_steps = is_first and bool(loops) and _takes_one(loops[0], frame.f_lineno)
            is_first = False
            for loop in loops[counts_steps:]:
                rounds = _rounds(loop.iter, frame)
                if rounds is not None:
                    return rounds, Place(file, loop.lineno)
        frame = frame.f_back
    return None


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


def _loops(file: str, line: int) -> list[ast.For]:
    """Returns the `for` loops whose body holds a line, innermost first."""
    tree = tree_of(file)
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.For)] if tree is not None else []
    around = [one for one in loops if one.lineno < line <= (one.end_lineno or one.lineno)]
    return sorted(around, key=lambda one: -one.lineno)


def _takes_one(loop: ast.For, line: int) -> bool:
    """Returns whether a line of a loop takes the next batch, or begins anew where there was none left."""
    calls = [node for node in ast.walk(loop) if isinstance(node, ast.Call) and node.lineno == line]
    handlers = [node for node in ast.walk(loop) if isinstance(node, ast.ExceptHandler)]
    takes = any(isinstance(one.func, ast.Name) and one.func.id == "next" for one in calls)
    return takes or any(one.lineno <= line <= (one.end_lineno or 0) for one in handlers)


def _rounds(iterated: ast.expr, frame: FrameType) -> int | None:
    """Returns the length of `range(…)`, also within `tqdm(range(…))`; None for anything else."""
    calls = [node for node in ast.walk(iterated) if isinstance(node, ast.Call)]
    ranges = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in RANGES]
    if not ranges:
        return None
    values = [_value(argument, frame) for argument in ranges[0].args]
    limits = [value for value in values if isinstance(value, int)]
    return len(range(*limits)) if limits and len(limits) == len(values) else None


def _value(expression: ast.expr, frame: FrameType) -> object:
    """Evaluates names, attributes and arithmetic; None for what could have an effect."""
    whole = ast.Expression(expression)
    if not all(isinstance(node, PLAIN) for node in ast.walk(whole)):
        return None
    try:
        return eval(compile(whole, "<plan>", "eval"), frame.f_globals, frame.f_locals)
    except Exception:
        return None
