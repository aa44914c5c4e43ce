"""The interventions of a replay at work: each is asked at every place where it may act."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from types import ModuleType
from typing import TYPE_CHECKING, Any

from plateau_cause.capture.child.call import Call
from plateau_cause.capture.child.interventions.base import Intervention

if TYPE_CHECKING:
    from plateau_cause.capture.child.main import Doors


class Changes:
    """Asks the interventions; what one of them raises stops it, and never the script."""

    def __init__(self, doors: Doors, interventions: list[Intervention]) -> None:
        self.doors, self.interventions = doors, interventions
        self.call: Call | None = None  # that runs now
        self._inside = False  # within an intervention
        for one in interventions:
            one.changes = self

    def install(self, torch: ModuleType) -> None:
        """Puts the interventions in; `torch` has just been imported."""
        steps = sys.modules["torch.optim.optimizer"]
        steps.register_optimizer_step_pre_hook(self.about_to_step)
        steps.register_optimizer_step_post_hook(self.stepped)
        self.doors.hooks.after(torch.autograd, "backward", lambda *_, **__: self._each("backward"))
        self._each("install", torch, is_silent_too=True)

    def run(self, original: Callable[..., Any], module: Any, arguments: Any, named: Any) -> Any:
        """Returns what a module returns, called as the interventions would have it."""
        self.call = call = Call(module, arguments, named, self.is_training, self.is_evaluation)
        try:
            self._each("given", call)
            with ExitStack() as around:
                for one in self.interventions:
                    self._attempt(one, lambda one=one: around.enter_context(one.around(call)))
                output = original(module, *call.arguments, **call.named)
            for one in self.interventions:
                output = self._attempt(one, one.returned, call, output, otherwise=output)
            return output
        finally:
            self.call = None

    @property
    def is_training(self) -> bool:
        """Returns whether gradients will be taken from what is called now, as far as that can be known."""
        import torch

        return torch.is_grad_enabled() and self.is_in_training

    @property
    def is_in_training(self) -> bool:
        """Returns whether the script reads the data of training now; before its first step: any data."""
        of = self.doors.course.current
        return of is None or of.of.role == "train" or not self._knows_training

    @property
    def is_evaluation(self) -> bool:
        """Returns whether what is called now is for other data than those of training."""
        import torch

        of = self.doors.course.current
        if not self._knows_training:
            return not torch.is_grad_enabled()
        return not torch.is_grad_enabled() if of is None else of.of.role != "train"

    @property
    def _knows_training(self) -> bool:
        return any(one.role == "train" for one in self.doors.course.loaders)

    def labels(self, labels: Any) -> Any:
        """Returns the labels that an evaluation is judged by."""
        for one in self.interventions:
            labels = self._attempt(one, one.labels, labels, otherwise=labels)
        return labels

    def fitting(self, trainer: Any) -> None:
        """Tells the interventions that a framework's trainer is about to train."""
        self._each("fitting", trainer, is_silent_too=True)

    def about_to_step(self, optimizer: Any, *_: Any) -> None:
        """Tells the interventions that an optimizer is about to take a step."""
        self._each("before_step", optimizer)

    def stepped(self, optimizer: Any, *_: Any) -> None:
        """Tells the interventions that it has taken it."""
        self._each("after_step", optimizer)

    def fetched(self) -> None:
        """Tells the interventions that a batch is asked for."""
        self._each("fetched")

    def passed(self) -> None:
        """Tells the interventions that a pass over the training data has ended."""
        self._each("passed")

    def told(self) -> dict[str, Any]:
        """Returns by name whether each change took."""
        return {one.name: one.told() for one in self.interventions}

    def _each(self, place: str, *given: Any, is_silent_too: bool = False) -> None:
        if self.doors.hooks.paused and not is_silent_too:
            return
        for one in self.interventions:
            self._attempt(one, getattr(one, place), *given)

    def _attempt(
        self, one: Intervention, action: Callable[..., Any], *given: Any, otherwise: Any = None
    ) -> Any:
        """Returns what an action returns; it is not heard by the doors, nor by other interventions."""
        if one.failed is not None or self._inside:
            return otherwise
        hooks, self._inside = self.doors.hooks, True
        was_paused, hooks.paused = hooks.paused, True
        try:
            return action(*given)
        except Exception as error:
            one.failed = f"{type(error).__name__}: {error}"
            return otherwise
        finally:
            self._inside, hooks.paused = False, was_paused
