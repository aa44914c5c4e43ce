"""A script as what a command is given: its own command line, and a workspace made from its transcription."""

from __future__ import annotations

from pathlib import Path

import click

from plateau_cause.commands.command import Command
from plateau_cause.errors import PlateauError
from plateau_cause.pipeline import paths


class ScriptCommand(Command):
    """A command whose first argument may be a script: everything behind it is the script's own."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Returns what click leaves over."""
        if any(is_script(one) for one in args):
            ctx.allow_interspersed_args = False
        return super().parse_args(ctx, args)


def is_script(given: str | Path) -> bool:
    """Returns whether a name is that of a Python file."""
    return Path(given).suffix == ".py"


def make_workspace(script: Path, arguments: tuple[str, ...], folder: Path, around: Path | None) -> list[str]:
    """Makes or renews the workspace of a script.

    Returns:
        What to know before anything long starts, one line each: facts about the script that stand out, with
        file and line, and what the transcription leaves out. The facts are kept in data/capture.

    Args:
        script: the file.
        arguments: its command line.
        folder: the workspace.
        around: a project whose caches to share.

    Raises:
        PlateauError: the script cannot be transcribed, or its backbone is not known.
    """
    import yaml

    from plateau_cause import artifacts
    from plateau_cause.capture import launch, observations, transcription
    from plateau_cause.pipeline import project

    if not project.is_workspace(folder):
        project.renew(folder, "", around)
    given = launch.script(str(script), arguments)
    found = transcription.transcribe(given, folder / paths.CAPTURE)
    seen = observations.observe(found.peek, given.folder)
    artifacts.write_json(folder / paths.CAPTURE / "observations.json", [vars(one) for one in seen])
    if found.backbone is None:
        kind = found.peek["model"]["parts"][0]["class"]
        raise PlateauError(
            f"{script}: the network {kind} is neither torchvision's nor timm's; its pieces are in "
            f"{found.recipe['code']}: name a backbone in a params file with this as recipe.code"
        )
    sections = {"data": found.data, "backbone": found.backbone, "recipe": found.recipe}
    project.renew(folder, yaml.safe_dump(sections, sort_keys=False), around)
    return [*(one.words for one in seen), *found.notes]
