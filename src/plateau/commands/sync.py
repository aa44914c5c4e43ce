"""plateau sync: what an unreachable MLflow server has missed."""

from __future__ import annotations

import click

from plateau.commands.command import Command

EXAMPLE = """\
MLFLOW_TRACKING_URI=https://mlflow.example.org plateau sync"""


@click.command(cls=Command, example=EXAMPLE, short_help="Send what an unreachable MLflow server has missed.")
def sync() -> int:
    """Sends to MLflow what could not be sent while the server was out of reach, each thing once.

    Stages never wait for a server: what it misses is kept on disk until this command is run.
    """
    raise NotImplementedError
