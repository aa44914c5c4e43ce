"""The training images come in a new order in every pass."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from plateau_cause.capture.child.describe.drawn import positions
from plateau_cause.capture.child.interventions.base import Intervention
from plateau_cause.capture.child.one_loader import OneLoader


class Shuffle(Intervention):
    """Exchanges the sampler of a loader; settings: `loader`, the how-manyth that the script builds."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        super().__init__(name, settings)
        self._meant = OneLoader(settings["loader"])
        self._done: list[Any] = []

    def install(self, torch: ModuleType) -> None:
        """Waits for the loader to be read for the first time."""
        loader_class: Any = torch.utils.data.DataLoader
        original = loader_class.__iter__

        def __iter__(loader: Any) -> Any:  # noqa: N807
            known = self.changes.doors.course.loaders
            self._meant.is_read(loader, known)
            if self._meant.is_it(loader, known) and all(one is not loader for one in self._done):
                self._done.append(loader)
                loader.batch_sampler.sampler = self.order(loader, torch.utils.data)
                self.times += 1
            return original(loader)

        loader_class.__iter__ = __iter__

    def order(self, loader: Any, data: Any) -> Any:
        """Returns a sampler of the images that the loader reads: all, or those that its own names."""
        chosen = positions(loader)
        return data.RandomSampler(loader.dataset) if chosen is None else data.SubsetRandomSampler(chosen)


CHANGE = Shuffle
