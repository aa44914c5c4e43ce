"""Training reads more images of its data set: some that no loader reads."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from plateau_cause.capture.child.describe.drawn import drawn, sampler_of
from plateau_cause.capture.child.interventions.base import Intervention
from plateau_cause.capture.child.one_loader import OneLoader


class ReadMore(Intervention):
    """Extends a subset, or a sampler's list; settings: `loader`, its number, and `times` as many images."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        super().__init__(name, settings)
        self._meant = OneLoader(settings["loader"])
        self._done: list[Any] = []

    def install(self, torch: ModuleType) -> None:
        """Waits for the loader to be read for the first time."""
        loader_class: Any = torch.utils.data.DataLoader
        begun = loader_class.__iter__

        def __iter__(loader: Any) -> Any:  # noqa: N807
            known = self.changes.doors.course.loaders
            self._meant.is_read(loader, known)
            if self._meant.is_it(loader, known) and all(one is not loader for one in self._done):
                self._done.append(loader)
                try:
                    self._extend(loader, [one.loader for one in known])
                except Exception as error:
                    self.failed = f"{type(error).__name__}: {error}"
            return begun(loader)

        loader_class.__iter__ = __iter__

    def _extend(self, loader: Any, known: list[Any]) -> None:
        """Adds images, evenly spread over those that nothing reads; a subset within another stays."""
        holders = (sampler_of(loader), loader.dataset)
        holder = next((one for one in holders if hasattr(one, "indices")), None)
        inner = getattr(holder, "dataset", loader.dataset)
        own = drawn(loader)
        if holder is None or own.of != id(inner) or own.items is None:
            return
        others = [one.items or () for one in map(drawn, known) if one.of == own.of]
        left = sorted({*range(len(inner))} - own.items.union(*others))
        count = min(round((self.settings["times"] - 1) * len(own.items)), len(left))
        added = [left[number * len(left) // count] for number in range(count)]
        holder.indices = [*holder.indices, *added]
        self.times += bool(added)


CHANGE = ReadMore
