"""Sends what the tracking server has missed: `make sync`, or `python -m plateau_cause.tracking.outbox`.

It can be run at any time, twice, and again after it was killed: everything is in MLflow once.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from plateau_cause.tracking import store
from plateau_cause.tracking.delivery import deliver
from plateau_cause.tracking.journal import Journal, waiting
from plateau_cause.tracking.provenance import one_line, without_password


@dataclass
class Flushed:
    """What became of the journals.

    Attributes:
        sent: the journals that MLflow has now, by name.
        left: why a journal could not be sent, by name.
        running: the journals of stages that are still running, by name.
    """

    sent: list[str]
    left: dict[str, str]
    running: list[str]


def flush(folder: Path | None = None) -> Flushed:
    """Sends every journal of the outbox to MLFLOW_TRACKING_URI, or where its stage would have sent it.

    Args:
        folder: the outbox; the repository's own for None.

    Returns:
        What became of the journals. A server that does not answer raises nothing: its journals are left.
    """
    store.settle_environment()
    found = Flushed([], {}, [])
    own_uri, dead = os.environ.get("MLFLOW_TRACKING_URI"), dict[str, str]()
    for journal in waiting(folder):
        if not journal.take():
            found.running.append(journal.name)
            continue
        try:
            _send(journal, own_uri or journal.uri, found, dead)
        finally:
            journal.release()
    return found


def _send(journal: Journal, uri: str, found: Flushed, dead: dict[str, str]) -> None:
    if uri not in dead:
        try:
            with store.environment(MLFLOW_TRACKING_URI=uri):
                deliver(journal)
        except Exception as error:  # whatever the clients of databases and buckets raise
            dead[uri] = f"{without_password(uri)}: {one_line(error)}"
        else:
            journal.remove()
            found.sent.append(journal.name)
            return
    found.left[journal.name] = dead[uri]


def main() -> int:
    """Returns 0, or 1 where something could not be sent; says what became of every journal."""
    found = flush()
    for name in found.sent:
        print(f"sent     {name}")
    for name in found.running:
        print(f"running  {name}")
    for name, reason in found.left.items():
        print(f"left     {name}: {reason}", file=sys.stderr)
    if not (found.sent or found.left or found.running):
        print("nothing waits to be sent")
    return 1 if found.left else 0


if __name__ == "__main__":
    sys.exit(main())
