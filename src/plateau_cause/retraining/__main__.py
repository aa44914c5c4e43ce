"""python -m plateau_cause.retraining [promote] [--no-promote] [--outputs FILE].

Exit status: 0 promoted, or deployed already; 3 not better; 4 a new plateau cause; 1 a failure; 2 something
that the user can mend.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from plateau_cause import runtime
from plateau_cause.errors import PlateauError


@click.command("python -m plateau_cause.retraining", help=__doc__)
@click.argument("step", type=click.Choice(["all", "promote"]), default="all")
@click.option("--no-promote", is_flag=True, help="Decide, and leave the champion in place.")
@click.option(
    "--outputs", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
    help="File that outcome, promote and version are added to.",
)  # fmt: skip
def command(step: str, no_promote: bool, outputs: Path | None) -> int:  # noqa: D103  # its help is the module's
    return run(step, not no_promote, outputs)


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status of the command line."""
    try:
        return int(command.main(arguments, standalone_mode=False) or 0)
    except click.ClickException as error:
        print(f"error: {error.format_message()}", file=sys.stderr)
        return 2


def run(step: str, promote: bool, outputs: Path | None) -> int:
    """Returns the exit status, after one line on what became of today's model.

    Args:
        step: all, or promote: do what reports/retrain.json has decided, and nothing else.
        promote: whether the champion is replaced by what is better.
        outputs: file that outcome, promote and version are added to.
    """
    runtime.set_up_threads()
    from plateau_cause.retraining.command import promote_decided, retrain
    from plateau_cause.retraining.pipeline import PipelineError
    from plateau_cause.tracking.registry import RegistryError

    try:
        found = promote_decided() if step == "promote" else retrain(promote=promote)
    except (PlateauError, PipelineError, RegistryError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2 if isinstance(error, PlateauError) else 1
    except KeyboardInterrupt:
        print("interrupted: run the same command again to go on from what is finished", file=sys.stderr)
        return 130
    if outputs is not None:
        _add(outputs, found)
    print(f"5/5  {_became(found)}: {found['reason']}")
    return int(found["status"])


def _became(found: Mapping[str, Any]) -> str:
    """Returns what became of today's model."""
    if found["outcome"] == "unchanged":
        return "nothing to promote"
    if not found["promote"]:
        return "not promoted"
    return "promoted" if found["promoted"] else "to be promoted"


def _add(outputs: Path, found: Mapping[str, Any]) -> None:
    with outputs.open("a", encoding="utf-8") as file:
        file.write(f"outcome={found['outcome']}\npromote={str(found['promote']).lower()}\n")
        file.write(f"version={found['challenger']['version']}\n")


if __name__ == "__main__":
    sys.exit(main())
