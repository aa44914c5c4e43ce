"""plateau watch: a training script as it runs, measured epoch by epoch."""

from __future__ import annotations

from pathlib import Path

import click

from plateau_cause.commands.command import Command

EXAMPLE = """\
plateau watch train.py --lr 0.01           # everything after the script is its own command line
plateau watch -m package.train --epochs 3  # as python -m package.train
plateau watch --out runs/first train.py    # keeps watch.json there"""


@click.command(
    cls=Command,
    example=EXAMPLE,
    short_help="Run a training script to its end, and measure every epoch of it.",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("script")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.option("-m", "--module", "is_module", is_flag=True, help="SCRIPT is a module, as for python -m.")
@click.option("--folder", metavar="DIR", type=click.Path(path_type=Path),
              help="Where the script runs. Default: its own folder.")  # fmt: skip
@click.option("--python", metavar="PATH", help="The interpreter of its environment. Default: plateau's own.")
@click.option("--out", metavar="DIR", type=click.Path(file_okay=False, path_type=Path),
              help="Keep watch.json there.")  # fmt: skip
def watch(
    script: str, arguments: tuple[str, ...], is_module: bool, folder: Path | None, python: str | None,
    out: Path | None,
) -> int:  # fmt: skip
    """Runs SCRIPT unchanged, with your rights, and measures what it computes: nothing of it is altered.

    Accuracy in training and in every evaluation comes from the batches that the script itself computes; a
    loader that it never evaluates is evaluated at its end. The curves, and which layers moved, are printed
    and recorded in MLflow (in the current folder's mlflow.db, unless MLFLOW_TRACKING_URI names a server).
    Exit status: 0 where the training was finished, whatever the script did afterwards; else 1.
    """
    import tempfile

    from plateau_cause.capture import launch, record
    from plateau_cause.commands import console
    from plateau_cause.tracking.script import script_run

    given = launch.script(script, arguments, folder, python, is_module)
    with tempfile.TemporaryDirectory() as room:
        content = launch.watch(given, out or Path(room))
    with script_run(given.target) as run:
        run.log_params({"script": given.target, "arguments": " ".join(given.arguments)})
        run.log_history(record.curves(content))
        run.log_dict(content, "watch.json")
    console.show(record.render(content))
    return 0 if content["is_trained"] else 1
