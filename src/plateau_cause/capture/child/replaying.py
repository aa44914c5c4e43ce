"""A replay: the script runs to its end with interventions, and every held-out image is judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from plateau_cause.capture.child import confusion, hits
from plateau_cause.capture.child.changes import Changes
from plateau_cause.capture.child.describe.document import located
from plateau_cause.capture.child.errors import describe_error
from plateau_cause.capture.child.files import write_json
from plateau_cause.capture.child.hits import Hits
from plateau_cause.capture.child.measure import measured
from plateau_cause.capture.child.passes import Forward, Loader, Pass
from plateau_cause.capture.child.watch import Watch


class Replay(Watch):
    """Watches, and keeps which images were recognised; writes replay.json and hits.npz at the end."""

    file = None

    def __init__(self) -> None:
        super().__init__()
        self.changes: Changes
        self.hits: Hits

    def begin(self, changes: Changes) -> None:
        """Takes the interventions."""
        self.changes, self.hits = changes, Hits(changes)

    def wants_no_more(self, of: Pass) -> bool:
        """Tells the interventions of every batch; a pass goes on to its end."""
        self.changes.fetched()
        return False

    def judged(self, forward: Forward, is_training: bool) -> None:
        """Adds a batch to the sums of its pass, and to the hits."""
        super().judged(forward, is_training)
        if not is_training:
            self.hits.add(forward)

    def passed(self, of: Pass) -> None:
        """Closes the pass."""
        super().passed(of)
        if of.backwards:
            self.changes.passed()
            self.hits.trained(of)
        else:
            self.hits.close(of)

    def ended(self, error: BaseException | None) -> None:
        """Judges what the script has not evaluated, where it evaluates nothing; writes the result."""
        self._error, self._is_over = error, True
        sheets = self.hits.sheets()
        self._look(is_last=not sheets)
        sheets = sheets or self.hits.sheets()
        out = Path(self.doors.job["out"])
        if sheets:
            hits.write(out / "hits.npz", sheets)
        write_json(out / "replay.json", located(self._content(sheets)))

    def _measure(self, loader: Loader) -> None:
        """Judges a loader that the script has not evaluated."""
        assert self._model is not None
        unseen = Pass(loader, None)

        def hear(output: Any, batch: Any) -> None:
            self.hits.add(Forward(None, None, None, [], output, False, of=unseen, batch=batch))

        measured(loader.loader, self._model, self.doors.hooks, hear=hear)
        self.hits.close(unseen)

    def _content(self, sheets: dict[str, hits.Sheet]) -> dict[str, Any]:
        rows = [epoch["training"] for epoch in self.epochs if epoch["training"]]
        return {
            "train_accuracy": rows[-1]["accuracy"] if rows else None,
            "evaluations": {split: _told(sheet) for split, sheet in sheets.items()},
            "epochs": self.epochs,
            "is_trained": self._is_trained(),
            "seconds": self.seconds,
            "steps": self.doors.stepping.steps,
            "interventions": self.changes.told(),
            "error": None if self._error is None else describe_error(self._error),
            "problems": self.doors.hooks.problems,
        }


def _told(sheet: hits.Sheet) -> dict[str, Any]:
    return {**confusion.told(*sheet.told()), "loader": sheet.loader.name, "place": sheet.place}
