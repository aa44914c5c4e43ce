"""The training images come in a new order in every pass."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from plateau_cause.capture.child.interventions.base import Intervention


class Shuffle(Intervention):
    """Exchanges the sampler of a loader; settings: `loader`, the how-manyth that the script builds."""

    def install(self, torch: ModuleType) -> None:
        """Waits for the loader to be read for the first time."""
        loader_class: Any = torch.utils.data.DataLoader
        original = loader_class.__iter__

        def __iter__(loader: Any) -> Any:  # noqa: N807
            known = self.changes.doors.course.loaders
            number = self.settings["loader"]
            if number < len(known) and known[number].loader is loader and not self.times:
                loader.batch_sampler.sampler = torch.utils.data.RandomSampler(loader.dataset)
                self.times += 1
            return original(loader)

        loader_class.__iter__ = __iter__


CHANGE = Shuffle
