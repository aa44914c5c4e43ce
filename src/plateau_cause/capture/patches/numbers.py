"""Where a rate or other number is written: in a call, a name, the default of a flag; and how to change it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from plateau_cause.capture.patches.change import changed
from plateau_cause.capture.patches.source import Edit, Source, called

RATES = ("lr", "learning_rate", "max_lr")
LIMITS = ("max_norm", "clip_value", "gradient_clip_val", "clipnorm", "clipvalue", "global_clipnorm")
EPOCHS = ("epochs", "num_epochs", "max_epochs", "num_train_epochs")
Place = dict[str, Any] | None


def rate_changed(folder: Path, place: Place, times: float, arguments: list[str]) -> tuple[Place, str | None]:
    """Returns the line where the rate of an optimizer is written, and the diff that multiplies it.

    Args:
        folder: where the script runs.
        place: the line that builds the optimizer.
        times: by what it is multiplied.
        arguments: the script's command line; a flag given there has no line in a file.

    Returns:
        `place` and None where it is written elsewhere: in another file, or on the command line.
    """
    return number_changed(folder, place, RATES, lambda rate: rate * times, arguments)


def number_changed(
    folder: Path,
    place: Place,
    names: Sequence[str],
    change: Callable[[float], float],
    arguments: list[str],
    actual: float | None = None,
) -> tuple[Place, str | None]:
    """Returns the line where a number is written that a call is given, and the diff that changes it.

    Args:
        folder: where the script runs.
        place: the line of the call.
        names: of the number among the call's arguments.
        change: returns what to write instead.
        arguments: the script's command line; a flag given there has no line in a file.
        actual: what the number is in the run, where that is known: no other one is changed.

    Returns:
        `place` and None where it is written elsewhere: in another file, or on the command line.
    """
    number = None if place is None else _written(folder, place, names, arguments, actual)
    if number is None or place is None:
        return place, None
    line, new = number.lineno, change(float(number.value))  # type: ignore[arg-type]
    written = str(round(new)) if isinstance(number.value, int) and new == round(new) else f"{new:.4g}"

    def edit(source: Source, _: int) -> list[Edit]:
        return [source.replaced(number, written)]

    found = {"file": place["file"], "line": line}
    return found, changed(folder, found, edit)


def rate_written(folder: Path, place: Place, arguments: list[str]) -> float | None:
    """Returns the rate that an optimizer is built with, where it is one number in its file."""
    number = None if place is None else _written(folder, place, RATES, arguments)
    return None if number is None else float(number.value)  # type: ignore[arg-type]


def _written(
    folder: Path,
    place: dict[str, Any],
    names: Sequence[str],
    arguments: list[str],
    actual: float | None = None,
) -> ast.Constant | None:
    try:
        text = (folder / place["file"]).read_text(encoding="utf-8")
        tree, source = ast.parse(text), Source(text)
    except (OSError, UnicodeDecodeError, SyntaxError):
        return None
    calls = [node for node in source.at(place["line"], ast.Call) if _given(node, names) is not None]
    given = _given(calls[0], names) if calls else _limit(source, place["line"]) if names == EPOCHS else None
    return None if given is None else _resolved(given, tree, arguments, actual)


def _given(call: ast.Call, names: Sequence[str]) -> ast.expr | None:
    """Returns what a call is given as a number: by name, a rate or limit also second, epochs as a range."""
    named = [keyword.value for keyword in call.keywords if keyword.arg in names]
    if named:
        return named[0]
    if names == EPOCHS and isinstance(call.func, ast.Name) and call.func.id == "range":
        return call.args[0] if len(call.args) == 1 else None
    is_second = (names == RATES and len(call.args) == 2) or (names == LIMITS and len(call.args) > 1)
    second = call.args[1] if is_second else None
    is_a_name = isinstance(second, (ast.Name, ast.Attribute, ast.Subscript))
    return second if second is not None and (is_a_name or _is_number(second)) else None


def _limit(source: Source, line: int) -> ast.expr | None:
    """Returns what `while epoch < epochs` counts to."""
    tests = [node for loop in source.at(line, ast.While) for node in ast.walk(loop.test)]
    compared = [one for one in tests if isinstance(one, ast.Compare) and isinstance(one.ops[0], ast.Lt)]
    return compared[0].comparators[0] if compared else None


def _resolved(
    given: ast.expr, tree: ast.AST, arguments: list[str], actual: float | None
) -> ast.Constant | None:
    if _is_number(given):
        is_it = actual is None or given.value == actual  # type: ignore[attr-defined]
        return given if is_it else None  # type: ignore[return-value]
    name = _name(given)
    if name is None or any(_gives(one, name) for one in arguments):
        return None
    found = [value for key, value in _values(tree) if key == name and _is_number(value)]
    if actual is not None:  # then what a call gives by name tells the default that it replaces apart
        found = [one for one in (*found, *_given_by_name(tree, name)) if one.value == actual]  # type: ignore[attr-defined]
    return found[0] if len(found) == 1 else None  # type: ignore[return-value]


def _given_by_name(tree: ast.AST, name: str) -> list[ast.expr]:
    """Returns the numbers that functions of the file are given by a name."""
    own = {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and called(node) in own]
    words = [word for call in calls for word in call.keywords if word.arg == name]
    return [word.value for word in words if _is_number(word.value)]


def _name(given: ast.expr) -> str | None:
    """Returns `lr` of `lr`, `args.lr` and `config["lr"]`."""
    if isinstance(given, ast.Name):
        return given.id
    if isinstance(given, ast.Attribute):
        return given.attr
    key = given.slice if isinstance(given, ast.Subscript) else None
    return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None


def _gives(argument: str, name: str) -> bool:
    """Returns whether an argument gives a name its value: --lr 1, --lr=1, -lr 1, lr=1, optim.lr=1."""
    before, equals, _ = argument.partition("=")
    is_flag, key = before.startswith("-"), before.lstrip("-").rpartition(".")[2].lstrip("+~")
    return (is_flag or bool(equals)) and key.replace("-", "_") == name


def _values(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yields names and what they are given: assignments, entries of dicts, defaults."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            yield from ((_name(target) or "", node.value) for target in node.targets)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            yield _name(node.target) or "", node.value
        elif isinstance(node, ast.Dict):
            keys = ((key, value) for key, value in zip(node.keys, node.values, strict=True))
            yield from ((str(key.value), value) for key, value in keys if isinstance(key, ast.Constant))
        elif isinstance(node, ast.arguments):
            yield from _defaults(node)
        elif isinstance(node, ast.Call):
            yield from _flag(node)


def _defaults(given: ast.arguments) -> Iterator[tuple[str, ast.expr]]:
    last = given.args[len(given.args) - len(given.defaults) :]
    yield from ((one.arg, value) for one, value in zip(last, given.defaults, strict=True))
    named = zip(given.kwonlyargs, given.kw_defaults, strict=True)
    yield from ((one.arg, value) for one, value in named if value is not None)


def _flag(call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    """Yields the default of `add_argument("--lr", default=…)` under the name that the script reads it by."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr != "add_argument":
        return
    flags = [one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    kept = {keyword.arg: keyword.value for keyword in call.keywords}
    names = [flag.lstrip("-").replace("-", "_") for flag in flags if flag.startswith("--")] or flags
    if "default" in kept:
        yield from ((name, kept["default"]) for name in names)


def _is_number(value: ast.expr) -> bool:
    known = value.value if isinstance(value, ast.Constant) else None
    return isinstance(known, (int, float)) and not isinstance(known, bool)
