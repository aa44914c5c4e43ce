"""Where gradients stop within or around a call of the model: the line of a `no_grad` or `detach`."""

from __future__ import annotations

import linecache
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from plateau_cause.capture.child.doors.calling import Calling
from plateau_cause.capture.child.doors.hooks import Hooks
from plateau_cause.capture.child.places import Place, here

CHANNELS = 4  # of an image at most


class Stopping:
    """Listens to `no_grad`, `inference_mode`, `set_grad_enabled` and `Tensor.detach` in a peek.

    Attributes:
        places: the lines at which gradients stopped since they were last taken, in order.
    """

    def __init__(self, hooks: Hooks, calling: Calling) -> None:
        self.hooks, self.calling = hooks, calling
        self.places: list[Place] = []
        self.around: Place | None = None  # the last line that stopped them outside every module
        self.between: dict[tuple[int, int], Place] = {}  # address and length of what is detached there

    def install(self, torch: ModuleType) -> None:
        """Puts the listeners in; `torch` has just been imported."""
        self._is_grad_enabled = torch.is_grad_enabled
        for context in (torch.no_grad, torch.inference_mode):
            self.hooks.before(context, "__enter__", self._stopped)
        self.hooks.before(torch.set_grad_enabled, "__init__", self._set)
        self.hooks.before(torch.Tensor, "detach", self._detached)
        self.hooks.after(torch.Tensor, "clone", self._cloned)

    def taken(self, inputs: Sequence[Any]) -> Place | None:
        """Returns the first of the lines, or that around the call or before it, and forgets them.

        Args:
            inputs: tensors of the call.
        """
        around = None if self._is_grad_enabled() else self.around
        before = [self.between[key] for one in inputs if (key := _address(one)) in self.between]
        first = next(iter(self.places), around or next(iter(before), None))
        self.forget()
        self.between = {}
        return first

    def forget(self) -> None:
        """Forgets the lines before a call."""
        self.places = []

    def _stopped(self, *_: Any) -> None:
        again = self.calling.beforehand and self.calling.beforehand.place
        place = (again or here()) if self._is_grad_enabled() else None
        if not self.calling.depth:
            self.around = place or self.around
        elif place is not None and place not in self.places:
            self.places.append(place)

    def _set(self, _: Any, mode: bool) -> None:
        if not mode:
            self._stopped()

    def _detached(self, tensor: Any) -> None:
        """Notes a `detach` that the script itself wrote: libraries detach what they only look at."""
        place = here() if tensor.requires_grad or _is_feature(tensor) else None
        if place is None or "detach" not in linecache.getline(place.file, place.line):
            return
        if self.calling.depth:
            self._stopped()
        elif self._is_grad_enabled():
            self.between[_address(tensor)] = place

    def _cloned(self, result: Any, tensor: Any, *_: Any, **__: Any) -> None:
        """Notes that a copy of what is detached between two models is detached as well."""
        place = self.between.get(_address(tensor)) if self.between else None
        if place is not None:
            self.between[_address(result)] = place


def _is_feature(tensor: Any) -> bool:
    """Returns whether frozen layers may have computed this: numbers (N, …) that are no images."""
    is_image = tensor.dim() == 4 and tensor.shape[1] <= CHANNELS
    return bool(tensor.is_floating_point() and tensor.dim() > 1 and not is_image)


def _address(tensor: Any) -> tuple[int, int]:
    return int(tensor.data_ptr()), int(tensor.numel())
