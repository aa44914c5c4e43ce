"""plateau diagnose: the whole pipeline for one params file, and what it found."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click

from plateau_cause.commands.script import ScriptCommand, is_script, make_workspace
from plateau_cause.errors import PlateauError

# Programs that the stages start tell nobody (as in the Makefile).
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "DVC_NO_ANALYTICS": "true"}
EXAMPLE = """\
plateau diagnose params.yaml      # in a project: dvc repro
plateau diagnose slow_start.yaml  # anywhere: in the folder slow_start.plateau
plateau diagnose train.py --lr 1  # an unchanged script with its own arguments: in the folder train.plateau"""


@click.command(
    cls=ScriptCommand,
    example=EXAMPLE,
    short_help="Run the diagnosis of a params file, or of a script, and print what it found.",
)
@click.argument("params", type=click.Path(path_type=Path))
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.option(
    "--workspace", metavar="DIR", type=click.Path(file_okay=False, path_type=Path),
    help="Where to work. Default: the project, for its params.yaml; else PARAMS with the ending .plateau.",
)  # fmt: skip
def diagnose(params: Path, arguments: tuple[str, ...], workspace: Path | None) -> int:
    """Runs every stage that is not up to date for PARAMS, then prints verdict, waterfall and causes.

    In a clone, or in a project made by `plateau init`, the project's own params.yaml is run in place: that is
    `dvc repro`. Any other file is run in a workspace beside it; it stays as it is, and so does params.yaml;
    paths in it are relative to it. Killed or changed, the same command goes on from what is finished.

    PARAMS may be a training script, with its own ARGUMENTS behind it: it is peeked at, runs with your rights,
    stays as it is, and its own pieces are what is diagnosed (docs/capture.md).
    """
    from plateau_cause.commands.relocation import relocated
    from plateau_cause.config import params as parameters
    from plateau_cause.pipeline import project
    from plateau_cause.report.view import to_yaml

    if is_script(params):
        folder = workspace or params.with_suffix(".plateau")
        for note in make_workspace(params, arguments, folder, _project_around(params.parent)):
            click.echo(f"note: {note}", err=True)
        return _run_and_show(folder, params)
    if arguments:
        raise click.UsageError(
            f"unexpected argument {arguments[0]}: only a script takes arguments of its own"
        )
    given = parameters.load(params)
    folder = params.parent
    if workspace is not None or params.name != project.PARAMS or not project.is_project(folder):
        folder = workspace or params.with_suffix(".plateau")
        values = to_yaml(relocated(given, params.parent, folder))
        project.renew(folder, f"{values}\n", _project_around(params.parent))
    return _run_and_show(folder, params)


def _run_and_show(folder: Path, params: Path) -> int:
    """Returns the exit status of the whole pipeline in a folder, having printed what it found."""
    from plateau_cause import artifacts
    from plateau_cause.commands import console
    from plateau_cause.pipeline import paths
    from plateau_cause.report import text

    if _repro(folder, params) != 0:
        print(
            "error: a stage stopped; the line above says why, and the same command goes on", file=sys.stderr
        )
        return 1
    summary = artifacts.read_json(folder / paths.SUMMARY)
    console.show(text.render(summary, console.width(), console.is_plain()))
    click.echo(f"\nAll of it: {folder / paths.SUMMARY.with_suffix('.html')}")
    return 0


def _project_around(base: Path) -> Path | None:
    from plateau_cause.pipeline import project

    try:
        return project.find(base)
    except PlateauError:
        return None


def _repro(folder: Path, params: Path) -> int:
    """Returns the exit status of `dvc repro`, which writes to the same terminal."""
    from plateau_cause.tracking import tracking_uri

    own = {**QUIET, "PLATEAU_PYTHON": sys.executable}
    around = _project_around(params.parent)
    if around is not None:  # its runs and these are compared in one place
        own["MLFLOW_TRACKING_URI"] = tracking_uri(around)
    command = [sys.executable, "-m", "dvc", "repro"]
    process = subprocess.Popen(command, cwd=folder, env={**own, **os.environ})
    interrupted = False
    while True:
        try:
            status = process.wait()
            break
        except KeyboardInterrupt:  # DVC was interrupted too, and ends its stage first
            interrupted = True
    if interrupted:
        raise KeyboardInterrupt
    return status
