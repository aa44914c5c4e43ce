"""What stages say goes onto disk, to MLflow for as long as it answers, and later where it did not.

`make sync`, or `python -m plateau_cause.tracking.outbox`, sends what waits; every stage that starts does the
same for the server it records to. It can be done at any time, twice, and again after it was killed:
everything is in MLflow once.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from plateau_cause.tracking import store
from plateau_cause.tracking.delivery import Delivery, deliver
from plateau_cause.tracking.journal import Entry, Journal, every
from plateau_cause.tracking.provenance import one_line, without_password


class Recorder:
    """Records the runs of one stage.

    MLflow's first failure costs one line on stderr, and from then on entries go to disk only. At the end of
    the stage all of them are sent once more; where that fails too, the journal stays in the outbox.
    """

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self._delivery: Delivery | None = None
        self._is_live = True
        try:
            self._delivery = Delivery(store.open_client(), journal.folder)
            flush(journal.folder.parent, only=store.address())
        except Exception as error:  # any: see `say`
            self._lose(error)

    @property
    def experiment_id(self) -> str | None:
        """Returns where the runs are; None while MLflow has none of them."""
        return self._delivery.experiment_id if self._delivery else None

    def name(self, key: str) -> str:
        """Returns MLflow's id of a run; the key while MLflow does not have the run."""
        return self._delivery.ids.get(key, key) if self._delivery else key

    def say(self, entry: Entry) -> Any:
        """Returns what MLflow answers; None where it does not."""
        try:
            self.journal.add(entry)
        except OSError as error:  # a full disk
            print(f"warning: a run cannot be kept on disk: {one_line(error)}", file=sys.stderr)
        if self._delivery is None or not self._is_live:
            return None
        try:
            return self._delivery.send(entry)
        except Exception as error:  # boto3's, SQLAlchemy's, ...: no run is worth a stage
            self._lose(error)
            return None

    def close(self) -> None:
        """Ends the recording: the journal is removed where MLflow has everything."""
        if not self._is_live:
            self._try_again()
        if self._is_live:
            self.journal.remove()
        self.journal.release()

    def _lose(self, error: Exception) -> None:
        self._is_live = False
        remedy = "the next stage or `make sync` sends what waits in .plateau/outbox"
        warning = f"MLflow at {store.address()} failed, the stage goes on; {remedy}: {one_line(error)}"
        print(f"warning: {warning}", file=sys.stderr)

    def _try_again(self) -> None:
        try:
            self._delivery = deliver(self.journal)
        except Exception:  # it has been reported before
            return
        self._is_live = True
        print("MLflow answers again: the stage's runs have been sent after all", file=sys.stderr)


@dataclass
class Flushed:
    """What became of the journals.

    Attributes:
        sent: the journals that MLflow has now, by name.
        left: why a journal could not be sent, by name.
        running: the journals of stages that are still running, by name.
    """

    sent: list[str] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)
    running: list[str] = field(default_factory=list)


def flush(folder: Path | None = None, only: str | None = None) -> Flushed:
    """Sends every journal of the outbox to MLFLOW_TRACKING_URI, or where its stage would have sent it.

    Args:
        folder: the outbox; the repository's own for None.
        only: leave alone what stages would have sent to another address than this (`store.address`).

    Returns:
        What became of the journals. A server that does not answer raises nothing: its journals are left.
    """
    store.settle_environment()
    found, dead = Flushed(), dict[str, str]()
    for journal in every(folder):
        if not journal.take():
            found.running.append(journal.name)
        elif not journal.read():  # its stage was killed before it said anything
            journal.remove()
        elif only in (None, journal.uri):
            _send(journal, found, dead)
        journal.release()
    return found


def _send(journal: Journal, found: Flushed, dead: dict[str, str]) -> None:
    """Sends one journal, unless its server has been found dead before: why, by address."""
    uri = os.environ.get("MLFLOW_TRACKING_URI") or journal.uri
    try:
        if uri not in dead:
            with store.environment(MLFLOW_TRACKING_URI=uri):
                deliver(journal)
            journal.remove()
            found.sent.append(journal.name)
            return
    except LookupError as error:  # it is about a run that has to be sent first; others need not wait
        found.left[journal.name] = one_line(error)
        return
    except Exception as error:  # whatever the clients of databases and buckets raise
        dead[uri] = f"{without_password(uri)}: {one_line(error)}"
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
