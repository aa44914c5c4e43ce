"""plateau doctor: what stands in the way of a diagnosis, and what to do about it."""

from __future__ import annotations

import json
from pathlib import Path

import click

from plateau_cause.commands.command import Command
from plateau_cause.errors import PlateauError

EXAMPLE = """\
plateau doctor
plateau doctor --json | jq '.checks[] | select(.status == "fail")'"""


@click.command(
    cls=Command,
    example=EXAMPLE,
    short_help="Check installation, GPU, MLflow server, DVC remote and data; say what to mend.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(as_json: bool) -> int:
    """Checks everything that a diagnosis needs, in a few seconds, and says in one line each what to mend.

    In a project, its params.yaml, data, MLflow server and DVC remote are checked too. The exit status is 0 if
    nothing stands in the way (warnings do not), 1 otherwise.
    """
    from plateau_cause import doctor as doctors
    from plateau_cause.commands import console

    in_project = _enter_project()
    found = []
    for name, check in doctors.examine(in_project):
        found.append({"check": name, **check._asdict()})
        if not as_json:
            for line in check.found.split("\n"):
                console.show(f"{check.status:<4}  {name:<8}  {line}")
            if check.mend:
                console.show(f"{'':16}mend: {check.mend}")
    failed = [entry for entry in found if entry["status"] == doctors.FAIL]
    if as_json:
        click.echo(json.dumps({"ok": not failed, "project": in_project, "checks": found}, indent=2))
    elif not in_project:
        click.echo("No plateau project here: params, data, MLflow and DVC were not checked.")
    return 1 if failed else 0


def _enter_project() -> bool:
    from plateau_cause.pipeline import project

    try:
        project.enter(Path())
    except PlateauError:
        return False
    return True
