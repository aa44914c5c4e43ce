"""Images of an evaluation are not changed at random."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from plateau_cause.capture.child.cleaning import changed
from plateau_cause.capture.child.interventions.base import Intervention


class EvaluationClean(Intervention):
    """Takes chance out of a data set's transforms while another loader than that of training reads it.

    A data set that training and evaluation share, as halves of a random split do, gets its own back.
    """

    def install(self, torch: ModuleType) -> None:
        """Waits for loaders to be read; workers take the data set along as it is then."""
        self._exchanged: list[tuple[Any, str, Any, Any]] = []
        loader_class: Any = torch.utils.data.DataLoader
        original = loader_class.__iter__

        def __iter__(loader: Any) -> Any:  # noqa: N807
            try:
                self._exchange(loader)
            except Exception as error:
                self.failed = f"{type(error).__name__}: {error}"
            return original(loader)

        loader_class.__iter__ = __iter__

    def is_meant(self, loader: Any) -> bool:
        """Returns whether a loader is one of evaluation."""
        roles = {id(one.loader): one.role for one in self.changes.doors.course.loaders}
        return "train" in roles.values() and roles.get(id(loader)) != "train"

    def _exchange(self, loader: Any) -> None:
        for holder, name, own, _ in self._exchanged:
            setattr(holder, name, own)
        self._exchanged = []
        if self.is_meant(loader):
            self._exchanged = changed(loader.dataset)
        for holder, name, _, cleaned in self._exchanged:
            setattr(holder, name, cleaned)
        self.times += len(self._exchanged)


CHANGE = EvaluationClean
