"""The text of the user's own file, read before it is run: is it a script, and what of it would be used?"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from plateau_cause.errors import PlateauError, one_line

# What trains a model, as a method; those that other things have too count on such a receiver only.
TRAINS = ("backward", "fit_one_cycle", "fine_tune")
TRAINS_ON = {"fit": ("model", "trainer", "learn", "net"), "train": ("trainer",), "learn": ("trainer",)}
TRAINS_ELSEWHERE = (  # functions of a module beside the file, by the names that people give them
    "train", "fit", "main", "run", "train_model", "train_loop", "train_epoch", "train_one_epoch", "fine_tune",
    "finetune", "run_training", "start_training",
)  # fmt: skip
READS_ARGUMENTS = ("ArgumentParser", "parse_args", "parse_known_args", "Fire", "HfArgumentParser")
RESIZES = ("resize", "crop", "thumbnail")  # in the name of what makes an image of another size
FEWEST_PX, MOST_PX = 8, 4096  # what can be the side of an image, pixels
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """What the text says.

    Attributes:
        defined: names that the file gives a value at its top level (imports aside) -> their line.
        uses: name -> the names that its value or body mentions.
        script: why running the file would train, or read a command line, with the line; "" if not.
        trains: whether a training loop stands anywhere in it.
        sizes: pixels that it resizes or crops to, where they stand there as numbers.
    """

    defined: dict[str, int]
    uses: dict[str, frozenset[str]]
    script: str
    trains: bool
    sizes: tuple[int, ...]


def read_source(path: Path) -> Source:
    """Returns what the file's syntax tree says; nothing of it is run.

    Raises:
        PlateauError: it cannot be read, or is no Python.
    """
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except OSError as error:
        raise PlateauError(f"recipe.code: {path} cannot be read: {error.strerror}") from None
    except SyntaxError as error:
        where = f" at line {error.lineno}" if error.lineno else ""
        reason = f"raised SyntaxError{where}: {one_line(error.msg or 'no Python')}"
        raise PlateauError(f"recipe.code: {path} {reason}{_about_form(path)}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise PlateauError(f"recipe.code: {path} is no Python: {one_line(str(error))}") from None
    statements = list(_run_on_import(tree.body))
    functions = {node.name: node for node in statements if isinstance(node, Function)}
    return Source(
        defined=dict(_defined(statements)),
        uses=_uses(statements),
        script=_script(statements, functions, frozenset(_imported(statements))),
        trains=any(_is_training(node) for node in ast.walk(tree)),
        sizes=tuple(sorted(_sizes(tree))),
    )


def unused(source: Source, used: Sequence[str]) -> list[str]:
    """Returns the names at the top level that neither `used` nor anything they need mentions, in order."""
    reached: set[str] = set()
    coming = list(used)
    while coming:
        name = coming.pop()
        if name not in reached:
            reached.add(name)
            coming += source.uses.get(name, ())
    return [name for name in source.defined if name not in reached and not name.startswith("_")]


def _about_form(path: Path) -> str:
    """Returns what a file is that no Python is in, where its text says so."""
    start = path.read_bytes()[:200].lstrip()
    if start.startswith(b"{") and b'"cells"' in path.read_bytes():
        return "; it is a notebook: export it as a script"
    return ""


def _run_on_import(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yields the statements that importing the file runs, those in branches and loops too."""
    for node in body:
        if isinstance(node, ast.If) and _is_guard(node.test):
            yield from _run_on_import(node.orelse)
            continue
        yield node
        if not isinstance(node, Function | ast.ClassDef):
            for name in ("body", "orelse", "finalbody"):
                yield from _run_on_import(getattr(node, name, []))
            for handler in getattr(node, "handlers", []):
                yield from _run_on_import(handler.body)


def _is_guard(test: ast.expr) -> bool:
    """Returns whether a condition is that of `if __name__ == "__main__"`, however it is written."""
    names = {node.id for node in ast.walk(test) if isinstance(node, ast.Name)}
    return "__name__" in names and not isinstance(test, ast.UnaryOp)


def _defined(statements: Sequence[ast.stmt]) -> Iterator[tuple[str, int]]:
    for node in statements:
        if isinstance(node, Function | ast.ClassDef):
            yield node.name, node.lineno
        for target in _targets(node):
            names = (inner for inner in ast.walk(target) if isinstance(inner, ast.Name))
            yield from ((name.id, node.lineno) for name in names if isinstance(name.ctx, ast.Store))


def _sizes(tree: ast.Module) -> set[int]:
    """Returns the whole numbers given to what is called resize or crop, also under a name of their own."""
    named = {
        target.id: node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and any(word in _name(node.func).lower() for word in RESIZES):
            given = [*node.args, *(keyword.value for keyword in node.keywords)]
            for inner in (inner for argument in given for inner in ast.walk(argument)):
                value = named.get(inner.id) if isinstance(inner, ast.Name) else getattr(inner, "value", None)
                found |= {value} if type(value) is int and MOST_PX >= value >= FEWEST_PX else set()
    return found


def _targets(node: ast.stmt) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, ast.AnnAssign | ast.AugAssign) else []


def _uses(statements: Sequence[ast.stmt]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for node in statements:
        mentioned = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
        for name, _ in _defined([node]):
            found.setdefault(name, set()).update(mentioned - {name})
        if isinstance(node, ast.Expr):  # model.fc = ..., layers.append(...): belongs to what it changes
            for name in mentioned:
                found.setdefault(name, set()).update(mentioned - {name})
    return {name: frozenset(names) for name, names in found.items()}


def _imported(statements: Sequence[ast.stmt]) -> Iterator[str]:
    """Yields the functions that `from module import …` brings."""
    for node in statements:
        if isinstance(node, ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)


def _script(statements: Sequence[ast.stmt], functions: dict[str, Function], imported: frozenset[str]) -> str:
    """Returns why running these statements would train or read a command line, with the line; or ""."""
    for node in statements:
        if isinstance(node, Function | ast.ClassDef):
            continue
        for inner in _calls_and_names(node):
            if reason := _reason(inner):
                return f"{reason} (line {inner.lineno})"
            name = inner.func.id if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) else ""
            if name in functions and (reason := _reason_inside(name, functions, set())):
                return f"calls {name}(), which {reason} (line {inner.lineno})"
            if name in imported and name in TRAINS_ELSEWHERE:
                return f"calls {name}() of another file, which trains by its name (line {inner.lineno})"
    return ""


def _reason_inside(name: str, functions: dict[str, Function], seen: set[str]) -> str:
    """Returns what calling a function of the file would do, itself or through others of the file."""
    seen.add(name)
    for inner in _calls_and_names(functions[name]):
        called = inner.func.id if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) else ""
        reason = _reason(inner)
        if not reason and called in functions and called not in seen:
            reason = _reason_inside(called, functions, seen)
        if reason:
            return reason
    return ""


def _calls_and_names(node: ast.AST) -> list[ast.Call | ast.Attribute]:
    return [inner for inner in ast.walk(node) if isinstance(inner, ast.Call | ast.Attribute)]


def _reason(node: ast.Call | ast.Attribute) -> str:
    if isinstance(node, ast.Attribute):
        is_arguments = node.attr == "argv" and isinstance(node.value, ast.Name) and node.value.id == "sys"
        return "reads its own command line" if is_arguments else ""
    if _name(node.func) in READS_ARGUMENTS:
        return "reads its own command line"
    return "trains" if _is_training(node) else ""


def _is_training(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    receiver = _name(node.func.value).lower()
    return node.func.attr in TRAINS or any(word in receiver for word in TRAINS_ON.get(node.func.attr, ()))


def _name(node: ast.expr) -> str:
    """Returns the last name of a dotted one, "" for any other expression."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
