"""plateau retrain: today's model against the deployed one."""

from __future__ import annotations

from pathlib import Path

import click

from plateau_cause.commands.command import Command

EXAMPLE = """\
plateau retrain
plateau retrain --no-promote  # decide, and leave the champion in place
plateau retrain promote       # carry out what was decided, in a job of its own"""


@click.command(
    cls=Command, example=EXAMPLE, short_help="Retrain; promote only what is better by more than noise."
)
@click.argument("step", type=click.Choice(["all", "promote"]), default="all")
@click.option("--no-promote", is_flag=True, help="Decide, and leave the champion in place.")
@click.option(
    "--outputs", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
    help="File that outcome, promote and version are added to, for CI.",
)  # fmt: skip
def retrain(step: str, no_promote: bool, outputs: Path | None) -> int:
    """Pulls data and cache, runs what changed, and compares today's model with the deployed one.

    The new model is promoted only if it is better on the same test images by more than noise, and its
    diagnosis names no new cause. Exit statuses besides the usual ones: 3 not better, 4 a new cause; see
    docs/retraining.md.
    """
    from plateau_cause.pipeline import project
    from plateau_cause.retraining.__main__ import run

    to = outputs and outputs.resolve()  # before the project's folder is entered
    project.enter(Path())
    return run(step, not no_promote, to)
