"""What every intervention is: places at which it may act, and whether it has acted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

from plateau_cause.capture.child.call import Call
from plateau_cause.capture.child.one_loader import OneLoader

if TYPE_CHECKING:
    from plateau_cause.capture.child.changes import Changes


class Intervention:
    """Changes one thing in a run. Each place does nothing unless a subclass says otherwise.

    Attributes:
        name: as in the job.
        settings: what the peek has measured for it.
        times: how often it has changed something, counted where the change was seen to hold.
        failed: what it raised; it judges nothing then.
    """

    reaches_network = False  # whether it changes a network, whatever was computed by it before training

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        self.name, self.settings = name, settings
        self.times = 0
        self.failed: str | None = None
        self.changes: Changes

    def install(self, torch: ModuleType) -> None:
        """Wraps functions of torch, which has just been imported."""

    @contextmanager
    def around(self, call: Call) -> Iterator[None]:
        """Surrounds a call of a module from outside every other."""
        yield

    def given(self, call: Call) -> None:
        """Changes what a module is given: `call.arguments` and `call.named`."""

    def returned(self, call: Call, output: Any) -> Any:
        """Returns what a module returns, changed or not."""
        return output

    def fitting(self, trainer: Any) -> None:
        """Acts before a framework's trainer trains."""

    def fetched(self) -> None:
        """Acts before a batch is asked for."""

    def backward(self) -> None:
        """Acts when gradients have been computed."""

    def before_step(self, optimizer: Any) -> None:
        """Acts before a step of one of the script's optimizers."""

    def after_step(self, optimizer: Any) -> None:
        """Acts after it."""

    def passed(self) -> None:
        """Acts at the end of a pass over the training data."""

    def labels(self, labels: Any) -> Any:
        """Returns the labels (N,) that an evaluation is judged by."""
        return labels

    def told(self) -> dict[str, Any]:
        """Returns whether the change took, and words where it did not."""
        words = self.failed or (None if self.times else "nothing was there to change")
        return {"took": self.failed is None and self.times > 0, "words": words}


class AtFirstRead(Intervention):
    """Changes a loader when it is read for the first time; settings: `loader`, its number in the script."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        super().__init__(name, settings)
        self._meant = OneLoader(settings["loader"])
        self._done: list[Any] = []

    def install(self, torch: ModuleType) -> None:
        """Waits for the loader, and for what its line builds in its place."""
        loader_class: Any = torch.utils.data.DataLoader
        original = loader_class.__iter__

        def __iter__(loader: Any) -> Any:  # noqa: N807
            known = self.changes.doors.course.loaders
            self._meant.is_read(loader, known)
            if self._meant.is_it(loader, known) and all(one is not loader for one in self._done):
                self._done.append(loader)
                try:
                    self.times += self.change(loader, torch.utils.data)
                except Exception as error:
                    self.failed = f"{type(error).__name__}: {error}"
            return original(loader)

        loader_class.__iter__ = __iter__

    def change(self, loader: Any, data: Any) -> bool:
        """Changes a loader, `data` being torch.utils.data; returns whether there was something to change."""
        raise NotImplementedError
