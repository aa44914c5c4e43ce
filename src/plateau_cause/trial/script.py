"""A training script as its text tells it: what it does is seen when it runs."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

from plateau_cause.config.recipe import Recipe
from plateau_cause.errors import shown
from plateau_cause.trial.finding import Findings

NOTEBOOK = "a notebook; `jupyter nbconvert --to script` makes a .py file of it"
ALLOWED = "allowed: null, an existing .py file, or a module's dotted name"


def examine(recipe: Recipe, root: Path, found: Findings) -> None:
    """Adds what the text of a script tells: that it is none, or that Python cannot read it."""
    script = str(recipe.script)
    if found.touches("recipe.script"):
        return
    folder = root / (recipe.folder or ".")
    file = root / script if script.endswith(".py") else _module(script, folder)
    if file is None:
        if wrong := _no_module(script, root, folder):
            found.wrong(f"recipe.script: got {shown(script)}, {wrong}")
        return
    try:
        ast.parse(file.read_bytes(), filename=str(file))
    except SyntaxError as error:
        found.wrong(f"recipe.script: {script} raised SyntaxError at line {error.lineno}: {error.msg}")
    except (OSError, ValueError) as error:
        found.wrong(f"recipe.script: {script} cannot be read: {error}")
    else:
        found.notes.append(f"recipe.script: {script} was read and not run; `plateau peek` says what it does")


def _module(name: str, folder: Path) -> Path | None:
    """Returns the file that `python -m name` runs, where it lies in the folder."""
    place = folder.joinpath(*name.split("."))
    return next((one for one in (place.with_suffix(".py"), place / "__main__.py") if one.is_file()), None)


def _no_module(name: str, root: Path, folder: Path) -> str:
    """Returns why a name is no module's, "" where it may be one that is installed."""
    if (root / name).is_dir():
        return f"a folder; {ALLOWED}"
    if (root / name).is_file():
        return NOTEBOOK if name.endswith(".ipynb") else f"a file that does not end in .py; {ALLOWED}"
    top = name.partition(".")[0]
    if (folder / top).is_dir() or importlib.util.find_spec(top) is not None:
        return ""
    return f"and there is neither such a file nor a module in {shown(str(folder))}; {ALLOWED}"
