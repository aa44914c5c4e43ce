"""Images of an evaluation go through the transform of training, without what changes there at random."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.child.describe.cleaning import clean
from plateau_cause.capture.child.describe.transforms import HELD, chain, held_transform
from plateau_cause.capture.child.interventions.evaluation_clean import EvaluationClean


class EvaluationAsTraining(EvaluationClean):
    """Gives a data set that training does not read the transform of the one that it does."""

    def exchanges(self, data_set: Any) -> list[tuple[Any, str, Any, Any]]:
        """Returns where a data set holds its transform: holder, attribute, it, and that of training."""
        loaders = self.changes.doors.course.loaders
        trained = next((one.loader.dataset for one in loaders if one.role == "train"), None)
        wanted = clean(held_transform(trained))
        held = [(one, name) for one in chain(data_set) for name in HELD if callable(getattr(one, name, None))]
        if wanted is None or not held or any(one is trained for one, _ in held):
            return []
        holder, name = held[0]
        own = getattr(holder, name)
        return [] if own is wanted else [(holder, name, own, wanted)]


CHANGE = EvaluationAsTraining
