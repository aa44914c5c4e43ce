"""Every epoch reads the training images several times.

So a training of any loop is longer: what counts the batches to come (a schedule, a framework) counts those of
such an epoch, for the loader says that it has so many.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from plateau_cause.capture.child.interventions.base import Intervention
from plateau_cause.capture.child.one_loader import OneLoader


class TrainingLength(Intervention):
    """Repeats what a loader draws; settings: `loader`, the how-manyth that the script builds, and `times`."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        super().__init__(name, settings)
        self._meant = OneLoader(settings["loader"])

    def install(self, torch: ModuleType) -> None:
        """Wraps the construction of loaders, before anything asks them for their length."""
        loader_class: Any = torch.utils.data.DataLoader
        built, read = loader_class.__init__, loader_class.__iter__

        @functools.wraps(built)
        def __init__(loader: Any, *arguments: Any, **named: Any) -> None:  # noqa: N807
            built(loader, *arguments, **named)
            batches = loader.batch_sampler
            if self._meant.is_it(loader, self.changes.doors.course.loaders) and hasattr(batches, "sampler"):
                batches.sampler = _Repeated(batches.sampler, self.settings["times"], self)

        def __iter__(loader: Any) -> Any:  # noqa: N807
            self._meant.is_read(loader, self.changes.doors.course.loaders)
            return read(loader)

        loader_class.__init__, loader_class.__iter__ = __init__, __iter__

    def fitting(self, trainer: Any) -> None:
        """Has a Learner of fastai, whose loaders are its own, train for more epochs."""
        if hasattr(trainer, "n_epoch"):
            trainer.n_epoch *= self.settings["times"]
            self.times += 1


class _Repeated:
    """Yields what a sampler yields, several times; each time as it draws then."""

    def __init__(self, inner: Any, times: int, change: Intervention) -> None:
        self.inner, self._times, self._change = inner, times, change

    def __iter__(self) -> Iterator[Any]:
        for number in range(self._times):
            self._change.times += number > 0  # what reads on has got this far
            yield from self.inner

    def __len__(self) -> int:
        return self._times * len(self.inner)

    def __getattr__(self, name: str) -> Any:  # `set_epoch`, say
        if name == "inner":  # not there yet, in a copy that is being made
            raise AttributeError(name)
        return getattr(self.inner, name)


CHANGE = TrainingLength
