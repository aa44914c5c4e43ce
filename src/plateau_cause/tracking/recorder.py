"""How a stage's entries leave the process: onto disk first, then to MLflow for as long as it answers."""

from __future__ import annotations

import sys
from typing import Any

from plateau_cause.tracking import store
from plateau_cause.tracking.delivery import Delivery, deliver
from plateau_cause.tracking.journal import Entry, Journal
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
        self._keep(entry)
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

    def _keep(self, entry: Entry) -> None:
        try:
            self.journal.add(entry)
        except OSError as error:  # a full disk
            print(f"warning: a run cannot be kept on disk: {one_line(error)}", file=sys.stderr)

    def _lose(self, error: Exception) -> None:
        self._is_live = False
        where, remedy = (
            without_password(store.tracking_uri()),
            "`make sync` sends what waits in .plateau/outbox",
        )
        print(
            f"warning: MLflow at {where} failed, the stage goes on; {remedy}: {one_line(error)}",
            file=sys.stderr,
        )

    def _try_again(self) -> None:
        try:
            self._delivery = deliver(self.journal)
        except Exception:  # it has been reported before
            return
        self._is_live = True
        print("MLflow answers again: the stage's runs have been sent after all", file=sys.stderr)
