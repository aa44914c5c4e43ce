"""What a Python file runs: the modules that it imports, and that those import, read without running any.

Needs the standard library only.
"""

from __future__ import annotations

import ast
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

HINTS_ONLY = ("TYPE_CHECKING", "typing.TYPE_CHECKING")
DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


def closure(files: Iterable[Path], folder: Path, only: str = "") -> set[Path]:
    """Returns the files and every file below the folder that they import, at any depth.

    Imports inside functions count, and so do modules that are named in a string, such as in a registry; what
    is imported for type checking alone does not. A file that is no Python is returned and not looked into.

    Args:
        files: where to start; they may lie elsewhere.
        folder: whose modules are followed, as if it stood on the search path.
        only: the one package that is followed, where others are installed beside it.
    """
    found: set[Path] = set()
    waiting, top = [_plain(path) for path in files], _plain(folder)
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting.extend(imported(path, top, only))
    return found


def digests(files: Iterable[Path], folder: Path) -> dict[str, str]:
    """Returns each file's SHA-256 by its path from the folder, in the order of these paths."""
    named = {_plain(path).relative_to(_plain(folder)).as_posix(): path for path in files}
    return {name: hashlib.sha256(named[name].read_bytes()).hexdigest() for name in sorted(named)}


def digest(files: Iterable[Path], folder: Path) -> str:
    """Returns one SHA-256 of these files and their names."""
    return hashlib.sha256(repr(digests(files, folder)).encode()).hexdigest()


def imported(path: Path, folder: Path, only: str = "") -> set[Path]:
    """Returns the files below the folder that one file imports itself, packages on the way included."""
    package = path.parent.relative_to(folder).parts if path.is_relative_to(folder) else ()
    named = (name for name in _named(path.read_bytes(), package) if only in ("", name.partition(".")[0]))
    return {file for name in named for file in _files(name, folder)}


@lru_cache(maxsize=1024)
def _named(source: bytes, package: tuple[str, ...]) -> frozenset[str]:
    """Returns dotted names that may be modules, imported by the text of a file in a package."""
    try:
        return frozenset(_names(ast.parse(source), package))
    except (SyntaxError, ValueError):  # whoever runs it says so
        return frozenset()


def _plain(path: Path) -> Path:
    """Returns the path without `..`, links left as they are: a module beside a link is imported, too."""
    return Path(os.path.abspath(path))


def _names(tree: ast.AST, package: tuple[str, ...]) -> Iterator[str]:
    """Yields dotted names that may be modules: `from a import b` gives a and a.b."""
    for node in _run(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield from (module, *(f"{module}.{alias.name}" for alias in node.names))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and DOTTED.fullmatch(node.value):
            yield node.value


def _run(tree: ast.AST) -> Iterator[ast.AST]:
    """Yields every node but those below `if TYPE_CHECKING`."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If) and ast.unparse(node.test) in HINTS_ONLY:
            waiting.extend(node.orelse)
        else:
            waiting.extend(ast.iter_child_nodes(node))


def _files(name: str, folder: Path) -> Iterator[Path]:
    """Yields the files that importing a module below the folder runs; none where there is no such module."""
    place = folder
    for part in name.split("."):
        place = place / part
        yield from (file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file())
