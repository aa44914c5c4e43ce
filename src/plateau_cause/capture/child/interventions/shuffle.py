"""The training images come in a new order in every pass."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from plateau_cause.capture.child.interventions.base import Intervention


class Shuffle(Intervention):
    """Exchanges the sampler of a loader; settings: `loader`, the how-manyth that the script builds.

    The line that builds it may do so again, for another fold or in every epoch: what it builds in that one's
    place is shuffled too.
    """

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        super().__init__(name, settings)
        self._together = 0  # how many loaders the line builds at a time
        self._shuffled: list[Any] = []

    def install(self, torch: ModuleType) -> None:
        """Waits for the loader to be read for the first time."""
        loader_class: Any = torch.utils.data.DataLoader
        original = loader_class.__iter__

        def __iter__(loader: Any) -> Any:  # noqa: N807
            if self._is_meant(loader) and all(one is not loader for one in self._shuffled):
                loader.batch_sampler.sampler = torch.utils.data.RandomSampler(loader.dataset)
                self._shuffled.append(loader)
                self.times += 1
            return original(loader)

        loader_class.__iter__ = __iter__

    def _is_meant(self, loader: Any) -> bool:
        known = self.changes.doors.course.loaders
        if self.settings["loader"] >= len(known):
            return False
        first = known[self.settings["loader"]]
        of_line = [one.loader for one in known if one is first or (first.place and one.place == first.place)]
        places = [place for place, one in enumerate(of_line) if one is loader]
        if not places:
            return False
        if first.loader is loader:
            self._together = self._together or len(of_line)
        mine = next(place for place, one in enumerate(of_line) if one is first.loader)
        return bool(self._together) and places[0] % self._together == mine % self._together


CHANGE = Shuffle
