"""Evaluation is judged by the numbers that training gives to the classes."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.child.interventions.base import Intervention


class LabelsMapped(Intervention):
    """Translates labels; settings: `mapping` from a label of evaluation to that of training."""

    def labels(self, labels: Any) -> Any:
        """Returns the labels in the numbers of training."""
        mapped = labels.clone()
        for given, meant in self.settings["mapping"].items():
            mapped[labels == int(given)] = int(meant)
        self.times += bool((mapped != labels).any())
        return mapped


CHANGE = LabelsMapped
