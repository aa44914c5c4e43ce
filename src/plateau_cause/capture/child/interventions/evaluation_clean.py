"""Images of an evaluation are not changed at random."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from plateau_cause.capture.child.describe.cleaning import changed
from plateau_cause.capture.child.describe.transforms import chain
from plateau_cause.capture.child.interventions.base import Intervention

LOADER = "_plateau_loader"  # the attribute of an iterator that holds its loader


class EvaluationClean(Intervention):
    """Takes chance out of a data set's transforms while another loader than that of training reads it.

    A data set that training and evaluation share, as halves of a random split do, gets its own back as soon
    as the other one reads on.
    """

    def install(self, torch: ModuleType) -> None:
        """Waits for loaders to be read; workers take the data set along as it is when they start."""
        self._exchanged: list[tuple[Any, str, Any, Any]] = []
        loader_class: Any = torch.utils.data.DataLoader
        iterator_class: Any = torch.utils.data.dataloader._BaseDataLoaderIter
        begun, read = loader_class.__iter__, iterator_class.__next__

        def __iter__(loader: Any) -> Any:  # noqa: N807
            self._set(loader)
            iterator = begun(loader)
            if not loader.num_workers and hasattr(iterator, "__dict__"):
                setattr(iterator, LOADER, loader)
            return iterator

        def __next__(iterator: Any) -> Any:  # noqa: N807
            loader = getattr(iterator, LOADER, None)
            if loader is not None:
                self._set(loader)
            return read(iterator)

        loader_class.__iter__, iterator_class.__next__ = __iter__, __next__

    def _set(self, loader: Any) -> None:
        try:
            self._exchange(loader)
        except Exception as error:
            self.failed = f"{type(error).__name__}: {error}"

    def is_meant(self, loader: Any) -> bool:
        """Returns whether a loader is one of evaluation."""
        roles = {id(one.loader): one.role for one in self.changes.doors.course.loaders}
        return "train" in roles.values() and roles.get(id(loader)) != "train"

    def exchanges(self, data_set: Any) -> list[tuple[Any, str, Any, Any]]:
        """Returns where a data set holds what is to go: holder, attribute, it, and what takes its place."""
        return changed(data_set)

    def _exchange(self, loader: Any) -> None:
        """Exchanges the transforms of what a loader reads, or gives it those of its own back."""
        if self.is_meant(loader):
            found = self.exchanges(loader.dataset)
            for holder, name, _, cleaned in found:
                setattr(holder, name, cleaned)
            self._exchanged += found
            self.times += len(found)
            return
        read = [id(one) for one in chain(loader.dataset)]
        back = [one for one in self._exchanged if id(one[0]) in read]
        self._exchanged = [one for one in self._exchanged if id(one[0]) not in read]
        for holder, name, own, cleaned in back:
            if getattr(holder, name, None) is cleaned:  # else the script has set another by now
                setattr(holder, name, own)


CHANGE = EvaluationClean
