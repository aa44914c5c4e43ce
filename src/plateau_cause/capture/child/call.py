"""One call of a module from outside every other, as an intervention may change it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass
class Call:
    """A call before it happens.

    Attributes:
        module: that is called.
        arguments, named: what it is given.
        is_training: whether gradients will be taken from it.
        is_evaluation: whether it is for other data than those of training.
    """

    module: Any
    arguments: tuple[Any, ...]
    named: dict[str, Any]
    is_training: bool
    is_evaluation: bool

    def change_images(self, channels: int, change: Callable[[Any], Any]) -> bool:
        """Changes the tensors of images (N, C, H, W) among what is given; returns whether there were any."""
        found = [False]

        def changed(value: Any) -> Any:
            if getattr(value, "ndim", 0) == 4 and value.shape[1] == channels and value.is_floating_point():
                found[0] = True
                return change(value)
            if isinstance(value, dict):
                return {key: changed(item) for key, item in value.items()}
            return type(value)(map(changed, value)) if type(value) in (list, tuple) else value

        self.arguments = tuple(changed(one) for one in self.arguments)
        self.named = {key: changed(one) for key, one in self.named.items()}
        return found[0]
