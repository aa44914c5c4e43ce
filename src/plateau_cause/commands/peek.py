"""plateau peek: what a training script really does, in seconds."""

from __future__ import annotations

from pathlib import Path

import click

from plateau_cause.commands.command import Command

EXAMPLE = """\
plateau peek train.py --lr 0.01           # everything after the script is its own command line
plateau peek -m package.train --epochs 3  # as python -m package.train
plateau peek --json train.py | jq .model.frozen"""


@click.command(
    cls=Command,
    example=EXAMPLE,
    short_help="Say what a training script really does, after two of its steps.",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("script")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.option("-m", "--module", "is_module", is_flag=True, help="SCRIPT is a module, as for python -m.")
@click.option("--json", "is_json", is_flag=True, help="Print everything that was seen as JSON.")
@click.option("--folder", metavar="DIR", type=click.Path(path_type=Path),
              help="Where the script runs. Default: its own folder.")  # fmt: skip
@click.option("--python", metavar="PATH", help="The interpreter of its environment. Default: plateau's own.")
@click.option("--out", metavar="DIR", type=click.Path(file_okay=False, path_type=Path),
              help="Keep peek.json, initial weights and pictures there.")  # fmt: skip
def peek(
    script: str, arguments: tuple[str, ...], is_module: bool, is_json: bool, folder: Path | None,
    python: str | None, out: Path | None,
) -> None:  # fmt: skip
    """Runs SCRIPT until it has taken two steps and evaluated one batch, and says what it does.

    The script runs unchanged, with your rights, in a copy of its folder and with its own ARGUMENTS: model,
    layers that train, optimizer, schedule, loss, data and modes are read from the run, each with the line
    that decides it. What it writes beside itself is gone afterwards; nothing of yours is written over.
    """
    import json
    import tempfile

    from plateau_cause.capture import launch
    from plateau_cause.capture.rules.every import observe
    from plateau_cause.capture.table.whole import render
    from plateau_cause.commands import console

    given = launch.script(script, arguments, folder, python, is_module)
    with tempfile.TemporaryDirectory() as room:
        content = launch.peek(given, out or Path(room))
    found = observe(content, given.folder)
    if is_json:
        click.echo(json.dumps({**content, "observations": [vars(one) for one in found]}, indent=1))
    else:
        console.show(render(content, found, console.width()))
