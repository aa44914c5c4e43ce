"""The training loop reads all batches: what leaves it was taken out of the copy of the script that runs."""

from __future__ import annotations

from plateau_cause.capture.child.interventions.base import Intervention


class WholePasses(Intervention):
    """Counts the training passes that came to their end; settings: `drop`, a file and its lines."""

    def passed(self) -> None:
        """Looks whether the pass that has just ended read its last batch."""
        passes = [one for loader in self.changes.doors.course.loaders for one in loader.passes]
        ended = [one for one in passes if one.backwards and one.ended]
        self.times += bool(ended) and max(ended, key=lambda one: one.number).is_read


CHANGE = WholePasses
