"""plateau check: everything that a params file leads to, tried on two images in seconds."""

from __future__ import annotations

import json
from pathlib import Path

import click

from plateau_cause.commands.command import Command
from plateau_cause.errors import MistakesError, PlateauError

EXAMPLE = """\
plateau check                  # the params.yaml of the project here
plateau check mine.yaml --json | jq -r '.mistakes[]'"""


@click.command(
    cls=Command, example=EXAMPLE, short_help="Try everything that a params file leads to, in seconds."
)
@click.argument("params", type=click.Path(path_type=Path), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document: ok, mistakes, notes.")
def check(params: Path | None, as_json: bool) -> int:
    """Checks PARAMS: every key, the images, backbone and weights, and each function of your own file.

    Two images go through your transform, network, loss and optimizer, and one training step is made of them;
    your file is run with your rights for that, in a process of its own. A training script is read, not run.
    All mistakes are said at once, one line each, and nothing is written. The exit status is 0 where a
    diagnosis can start, 2 where something has to be mended first.
    """
    from plateau_cause import trial
    from plateau_cause.commands import console

    path = params if params is not None else _own()
    tried = trial.check(path)
    if as_json:
        document = {"ok": not tried.mistakes, "mistakes": tried.mistakes, "notes": tried.notes}
        click.echo(json.dumps(document, indent=2))
        return 2 if tried.mistakes else 0
    for note in tried.notes:
        console.show(f"note: {note}")
    if tried.mistakes:
        raise MistakesError(tried.mistakes)
    console.show(f"{path}: nothing is wrong")
    return 0


def _own() -> Path:
    """Returns the params.yaml in the current folder, or of the project around it."""
    from plateau_cause.pipeline import project

    here = Path(project.PARAMS)
    try:
        return here if here.exists() else project.find(Path()) / project.PARAMS
    except PlateauError:
        return here  # reading it says that there is none
