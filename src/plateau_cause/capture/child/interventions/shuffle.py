"""The training images come in a new order in every pass."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from plateau_cause.capture.child.interventions.base import Intervention
from plateau_cause.capture.child.one_loader import OneLoader


class Shuffle(Intervention):
    """Exchanges the sampler of a loader; settings: `loader`, the how-manyth that the script builds."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        super().__init__(name, settings)
        self._meant = OneLoader(settings["loader"])
        self._shuffled: list[Any] = []

    def install(self, torch: ModuleType) -> None:
        """Waits for the loader to be read for the first time."""
        loader_class: Any = torch.utils.data.DataLoader
        original = loader_class.__iter__

        def __iter__(loader: Any) -> Any:  # noqa: N807
            known = self.changes.doors.course.loaders
            self._meant.is_read(loader, known)
            if self._meant.is_it(loader, known) and all(one is not loader for one in self._shuffled):
                loader.batch_sampler.sampler = torch.utils.data.RandomSampler(loader.dataset)
                self._shuffled.append(loader)
                self.times += 1
            return original(loader)

        loader_class.__iter__ = __iter__


CHANGE = Shuffle
