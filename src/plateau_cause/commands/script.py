"""A script as what a command is given: its own command line, and the workspace in which it is diagnosed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from plateau_cause.commands.command import Command

MAX_COST = 4.0  # runs of the script beside its own


class ScriptCommand(Command):
    """A command whose first argument may be a script: everything behind it is the script's own."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Returns what click leaves over."""
        if any(is_script(one) or one in ("-m", "--module") for one in args):
            ctx.allow_interspersed_args = False
        return super().parse_args(ctx, args)


def is_script(given: str | Path) -> bool:
    """Returns whether a name is that of a Python file."""
    return Path(given).suffix == ".py"


def make_workspace(
    script: str, arguments: tuple[str, ...], folder: Path, around: Path | None,
    runs_in: Path | None = None, python: str | None = None,
) -> None:  # fmt: skip
    """Makes or renews the workspace of a script: what `recipe.script` in a project is.

    Args:
        script: the file, or a module's dotted name.
        arguments: its command line.
        folder: the workspace.
        around: a project whose caches to share.
        runs_in: where the script runs; None: in its own folder.
        python: its interpreter; None: this one.

    Raises:
        PlateauError: there is no such file, folder or interpreter.
    """
    import yaml

    from plateau_cause.capture import launch
    from plateau_cause.pipeline import project

    given = launch.script(script, arguments, runs_in, python, not is_script(script))
    recipe: dict[str, Any] = {"script": _seen(Path(script), folder) if is_script(script) else script}
    recipe |= {"arguments": list(arguments), "python": python and str(Path(python).absolute())}
    recipe["folder"] = _seen(given.folder, folder)
    sections = {"data": {"source": "script"}, "recipe": recipe, "diagnosis": {"max_cost": MAX_COST}}
    project.renew(folder, yaml.safe_dump(sections, sort_keys=False), around)


def _seen(path: Path, folder: Path) -> str:
    """Returns a path as it is seen from the workspace."""
    return os.path.relpath(path.resolve(), folder.resolve())
