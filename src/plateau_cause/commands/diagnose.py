"""plateau diagnose: the whole pipeline for one params file, and what it found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from plateau_cause.commands.fixed import fixed_copies
from plateau_cause.commands.script import ScriptCommand, is_script, make_workspace
from plateau_cause.errors import PlateauError

STDERR = 2  # file descriptor
# Programs that the stages start tell nobody (as in the Makefile).
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "DVC_NO_ANALYTICS": "true"}
EXAMPLE = """\
plateau diagnose params.yaml      # in a project: dvc repro
plateau diagnose slow_start.yaml  # anywhere: in the folder slow_start.plateau
plateau diagnose slow_start.yaml --json | jq .headline
plateau diagnose train.py --lr 1  # an unchanged script with its own arguments: in the folder train.plateau
plateau diagnose -m package.train # as python -m package.train: in the folder package.train.plateau"""


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
@click.option("--json", "as_json", is_flag=True, help="Print plateau_cause.json to standard output.")
@click.option("--apply", "applies", is_flag=True,
              help="A script: write the repaired copy beside it, train.fixed.py.")  # fmt: skip
@click.option("-m", "--module", "is_module", is_flag=True, help="PARAMS is a module, as for python -m.")
@click.option("--folder", metavar="DIR", type=click.Path(path_type=Path),
              help="Where a script runs. Default: its own folder; for a module the current one.")  # fmt: skip
@click.option("--python", metavar="PATH", help="The interpreter of a script. Default: plateau's own.")
def diagnose(
    params: Path, arguments: tuple[str, ...], workspace: Path | None, as_json: bool, applies: bool,
    is_module: bool, folder: Path | None, python: str | None,
) -> int:  # fmt: skip
    """Runs every stage that is not up to date for PARAMS, then prints verdict, waterfall and causes.

    In a clone, or in a project made by `plateau init`, the project's own params.yaml is run in place: that is
    `dvc repro`. Any other file is run in a workspace beside it; it stays as it is, and so does params.yaml;
    paths in it are relative to it. Killed or changed, the same command goes on from what is finished.

    PARAMS may be a training script, with its own ARGUMENTS behind it. It stays as it is; it is run several
    times, with your rights, in copies of its folder: unchanged, and with what stands out in it repaired
    (docs/capture.md). --apply writes a repaired copy beside it, never over it.

    With --json one document goes to standard output, the report or {"ok": false, "mistakes": [...]}, and
    everything else to standard error. The exit status is 0 with a verdict, 2 for what you can mend, else 1.
    """
    from plateau_cause import artifacts
    from plateau_cause.commands import console
    from plateau_cause.pipeline import paths
    from plateau_cause.report import text

    is_code = is_module or is_script(params)
    try:
        if is_code:
            place = workspace or _workspace_of(params, is_module)
            make_workspace(str(params), arguments, place, _project_around(params.parent), folder, python)
        else:
            place = _prepared(params, arguments, workspace, as_json)
    except PlateauError as error:
        _tell(error.lines, as_json)
        raise
    status, mistakes = _repro(place, params, as_json)
    if status != 0:
        stopped = ["a stage stopped: the lines above say why; the same command goes on"]
        for line in mistakes or stopped:
            print(f"error: {line}", file=sys.stderr)
        _tell(mistakes, as_json)
        return 2 if mistakes else 1
    summary = artifacts.read_json(place / paths.SUMMARY)
    base = folder or (Path() if is_module else params.parent)
    for line in fixed_copies(base, summary) if applies and is_code else ():
        click.echo(line, err=True)
    if as_json:
        click.echo(json.dumps(summary, indent=2))
        return 0
    console.show(text.render(summary, console.width(), console.is_plain()))
    click.echo(f"\nAll of it: {place / paths.SUMMARY.with_suffix('.html')}")
    return 0


def _tell(mistakes: Sequence[str], as_json: bool) -> None:
    """Prints what keeps a diagnosis from its verdict as JSON, where that was asked for."""
    if as_json:
        click.echo(json.dumps({"ok": False, "mistakes": mistakes}, indent=2))


def _prepared(params: Path, arguments: tuple[str, ...], workspace: Path | None, as_json: bool) -> Path:
    """Returns the folder to work in, after everything that PARAMS leads to was tried.

    Raises:
        PlateauError: something is wrong with it; nothing was written.
    """
    from plateau_cause import trial
    from plateau_cause.commands.relocation import relocated
    from plateau_cause.config import params as parameters
    from plateau_cause.pipeline import project
    from plateau_cause.report.view import to_yaml

    if arguments:
        raise PlateauError(f"{arguments[0]}: only a script takes arguments of its own")
    for note in trial.require(params):
        click.echo(f"note: {note}", err=as_json)
    folder = params.parent
    if workspace is not None or params.name != project.PARAMS or not project.is_project(folder):
        folder = workspace or params.with_suffix(".plateau")
        values = to_yaml(relocated(parameters.load(params), params.parent, folder))
        project.renew(folder, f"{values}\n", _project_around(params.parent))
    return folder


def _workspace_of(params: Path, is_module: bool) -> Path:
    """Returns the folder in which something is diagnosed: train.plateau, package.train.plateau."""
    return Path(f"{params}.plateau") if is_module else params.with_suffix(".plateau")


def _project_around(base: Path) -> Path | None:
    from plateau_cause.pipeline import project

    try:
        return project.find(base)
    except PlateauError:
        return None


def _repro(folder: Path, params: Path, quiet: bool) -> tuple[int, list[str]]:
    """Runs `dvc repro` on this terminal; returns its exit status, and the mistakes that stopped a stage.

    Args:
        folder: the project.
        params: the file that was given.
        quiet: whether everything goes to standard error.
    """
    from plateau_cause.pipeline import entry, lock
    from plateau_cause.tracking.store import tracking_uri

    lock.clear_if_broken(folder)

    own = {**QUIET, "PLATEAU_PYTHON": sys.executable, entry.TRIED: "yes"}
    around = _project_around(params.parent)
    if around is not None:  # its runs and these are compared in one place
        own["MLFLOW_TRACKING_URI"] = tracking_uri(around)
    command = [sys.executable, "-m", "dvc", "repro"]
    with tempfile.TemporaryDirectory() as place:
        mistakes = Path(place) / "mistakes.json"
        environment = {**own, **os.environ, entry.MISTAKES: str(mistakes)}
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=STDERR if quiet else None)
        status = _waited(process)
        return status, json.loads(mistakes.read_text(encoding="utf-8")) if mistakes.exists() else []


def _waited(process: subprocess.Popen[bytes]) -> int:
    """Returns the exit status; an interruption waits until DVC, interrupted too, has ended its stage."""
    interrupted = False
    while True:
        try:
            status = process.wait()
            break
        except KeyboardInterrupt:
            interrupted = True
    if interrupted:
        raise KeyboardInterrupt
    return status
