"""Copies of schedules on an optimizer without parameters: to step them changes nothing of the training."""

from __future__ import annotations

import copy
from typing import Any


class StandIn:
    """An optimizer without parameters: what a schedule reads and writes of one."""

    def __init__(self, optimizer: Any) -> None:
        self.param_groups = [{key: value for key, value in group.items() if key != "params"}
                             for group in optimizer.param_groups]  # fmt: skip
        self.defaults = dict(getattr(optimizer, "defaults", {}))

    def step(self) -> None:
        """Does nothing."""

    @property
    def rate(self) -> float:
        """Returns the highest rate of its groups."""
        return max(float(group["lr"]) for group in self.param_groups)


class Start:
    """An optimizer and its schedules before the first of them was stepped."""

    def __init__(self, optimizer: Any, schedulers: list[Any]) -> None:
        self._kept = StandIn(optimizer)
        self._of = [(scheduler, _copied(scheduler, self._kept)) for scheduler in schedulers]

    def again(self) -> tuple[StandIn, list[tuple[Any, Any]]]:
        """Returns a stand-in, and each scheduler with a copy of it that writes there."""
        stand_in = StandIn(self._kept)
        return stand_in, [(scheduler, _copied(kept, stand_in)) for scheduler, kept in self._of]


def parts(scheduler: Any) -> list[Any]:
    """Returns the schedules that one steps in its turn."""
    values = vars(scheduler).values()
    lists = [list(value) if isinstance(value, (list, tuple)) else [value] for value in values]
    return [item for items in lists for item in items if is_schedule(item)]


def is_schedule(value: Any) -> bool:
    """Returns whether something sets rates of an optimizer and counts how often it did."""
    return all(hasattr(value, name) for name in ("optimizer", "last_epoch", "step"))


def _copied(scheduler: Any, stand_in: StandIn) -> Any:
    """Returns a schedule that goes on from where it stands, on a stand-in; the script's own stays there."""
    copied = copy.copy(scheduler)
    for name, value in vars(scheduler).items():
        if name == "optimizer":
            setattr(copied, name, stand_in)
        elif is_schedule(value):
            setattr(copied, name, _copied(value, stand_in))
        elif isinstance(value, (list, tuple)) and any(map(is_schedule, value)):
            setattr(copied, name, [_copied(item, stand_in) for item in value])
        elif isinstance(value, (list, dict)):
            setattr(copied, name, copy.copy(value))
    return copied
