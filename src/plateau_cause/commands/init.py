"""plateau init: a project of one's own, for an installed plateau."""

from __future__ import annotations

from pathlib import Path

import click

from plateau_cause.commands.command import Command

EXAMPLE = """\
plateau init mine
plateau diagnose mine/params.yaml  # after setting data and recipe in it"""


@click.command(
    cls=Command,
    example=EXAMPLE,
    short_help="Start a project: params.yaml to fill in, and the pipeline that reads it.",
)
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
def init(folder: Path) -> None:
    """Writes params.yaml, dvc.yaml, the stages and their code into DIR; nothing there is overwritten.

    DIR is then an ordinary DVC project: `dvc repro`, `dvc push` and `dvc exp run` work in it, and the stages
    are yours to change.
    """
    from plateau_cause.pipeline import project

    project.create(folder)
    click.echo(
        f"{folder / project.PARAMS}: set data and recipe, then `plateau diagnose {folder / project.PARAMS}`"
    )
