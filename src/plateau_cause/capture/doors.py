"""Which door a script goes through, read from its text: PyTorch's, or Keras'."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from plateau_cause import imports

KERAS = ("keras", "tensorflow", "tf_keras", "keras_hub", "keras_cv", "tensorflow_hub")


def is_keras(target: str, folder: Path, is_module: bool) -> bool:
    """Returns whether a script trains with Keras: it imports it or TensorFlow and, beside torch, calls `fit`.

    What it imports from its own folder is read too; nothing is run.

    Args:
        target: the file, relative to `folder` or absolute; with `is_module` a dotted name.
        folder: where the script runs.
        is_module: whether it is run as `python -m target`.
    """
    file = _file(target, folder, is_module)
    if file is None:
        return False
    trees = [tree for path in _own(file, folder) if (tree := _parsed(path)) is not None]
    imported = {name for tree in trees for name in _imported(tree)}
    if not imported & set(KERAS):
        return False
    return "torch" not in imported or any(_fits(tree) for tree in trees)


def _own(file: Path, folder: Path) -> set[Path]:
    found = imports.closure([file], file.parent)
    return found | (imports.closure([file], folder) if folder != file.parent else set())


def _file(target: str, folder: Path, is_module: bool) -> Path | None:
    if not is_module:
        return folder / target
    place = folder.joinpath(*target.split("."))
    return next((one for one in (place.with_suffix(".py"), place / "__main__.py") if one.is_file()), None)


def _parsed(path: Path) -> ast.Module | None:
    try:
        return ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):  # whoever runs it says so
        return None


def _imported(tree: ast.Module) -> Iterator[str]:
    """Yields the packages that a file imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _fits(tree: ast.Module) -> bool:
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return any(isinstance(one, ast.Attribute) and one.attr == "fit" for one in calls)
