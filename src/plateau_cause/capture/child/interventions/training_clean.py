"""Training images are not changed at random."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.child.interventions.evaluation_clean import EvaluationClean
from plateau_cause.capture.child.one_loader import OneLoader


class TrainingClean(EvaluationClean):
    """Takes chance out of a data set's transforms while training reads it; settings: `loader`."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        super().__init__(name, settings)
        self._meant = OneLoader(settings["loader"])

    def is_meant(self, loader: Any) -> bool:
        """Returns whether a loader is that of training."""
        known = self.changes.doors.course.loaders
        self._meant.is_read(loader, known)
        return self._meant.is_it(loader, known)


CHANGE = TrainingClean
