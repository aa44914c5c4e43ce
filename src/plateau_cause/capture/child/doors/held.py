"""An optimizer of the script, and what was heard of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from plateau_cause.capture.child.places import Place


@dataclass
class Held:
    """An optimizer that the script built."""

    optimizer: Any
    place: Place | None
    name: str | None = None
    kind: str | None = None  # where its class does not say what it computes
    is_past: bool = False  # whether it stepped before, for another model
    peaks: list[float] = field(default_factory=list)  # rates of the groups that a schedule leads to
    born: int = 0  # how many steps all optimizers had taken when it was built
    steps: int = 0
    step_place: Place | None = None
    clear_place: Place | None = None
    backwards: int = 0  # since the last step
    per_step: list[int] = field(default_factory=list)  # backward calls before each step
    at_backward: int = 0  # version of its first parameter at the last backward call
    wasted: int = 0  # backward calls since the last step whose gradients were cleared unused
    wasted_per_step: list[int] = field(default_factory=list)
    are_left: bool = False  # whether gradients stood at every backward call since its last step
    uncleared: int = 0  # steps whose gradients were added to what an earlier step had used
    by_hand: list[tuple[Place | None, float]] = field(default_factory=list)  # rates that the script wrote
    rates: list[list[float]] = field(default_factory=list)  # of each group, at the first steps
    last_rates: list[Any] = field(default_factory=list)  # of each group, at the last step
