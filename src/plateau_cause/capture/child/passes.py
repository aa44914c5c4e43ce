"""What a script reads and calls: its loaders, the passes over them, the calls of its model."""

from __future__ import annotations

import weakref
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from plateau_cause.capture.child.linking import tensors
from plateau_cause.capture.child.places import Place

OLDER = 16  # batches that a script may hold while it reads others, for an evaluation say


@dataclass
class Loader:
    """A DataLoader that the script built."""

    loader: Any
    place: Place | None
    name: str | None = None  # the variable that holds it
    outer: Any = None  # what a framework has put around it
    passes: list[Pass] = field(default_factory=list)

    @property
    def role(self) -> str:
        """Returns train, evaluation, or unread where no forward call has followed from it so far."""
        if any(one.backwards for one in self.passes):
            return "train"
        return "evaluation" if any(one.forwards for one in self.passes) else "unread"


@dataclass
class Pass:
    """One pass over a loader."""

    of: Loader
    place: Place | None  # the line of the loop
    plan: tuple[int, Place | None] | None = None  # rounds of the `for … in range(…)` around it, and its line
    leaves: dict[str, Any] | None = None  # after how many batches the loop is left, where it says so
    batches: int = 0
    size: int | None = None  # of its first batch
    forwards: int = 0
    backwards: int = 0
    ended: bool = False
    number: int = 0  # how many passes began before it
    is_read: bool = False  # whether its last batch has been yielded
    used: int = 0  # batches up to the last that a forward call was made for
    reads_ahead: bool | None = None  # whether the model gets a batch after the next one has been read
    last: Forward | None = None  # the last call that was made for one of its batches
    recent: deque[Any] = field(default_factory=lambda: deque(maxlen=2))  # a loader may read one batch ahead
    asked: deque[Any] = field(default_factory=deque)  # positions of the batches that are not yielded yet
    positions: deque[Any] = field(default_factory=lambda: deque(maxlen=2))  # of `recent`, in their data set
    older: deque[Any] = field(default_factory=lambda: deque(maxlen=OLDER))  # tensors before, not held

    @property
    def is_used_up(self) -> bool:
        """Returns whether its last batch has been in the model: who reads one ahead says no more."""
        return self.is_read and self.used >= self.batches

    def yielded(self, batch: Any) -> None:
        """Notes the next batch; of the one before the last only the script keeps what it needs."""
        self.batches += 1
        if self.size is None:
            self.size = next((len(one) for one in tensors(batch) if one.ndim), None)
        if len(self.recent) == self.recent.maxlen:
            self._let_go(self.recent[0])
        self.recent.append(batch)
        self.positions.append(self.asked.popleft() if self.asked else None)

    def close(self) -> None:
        """Notes that it has ended."""
        self.ended, self.last = True, None
        for batch in self.recent:
            self._let_go(batch)
        self.recent.clear()

    def _let_go(self, batch: Any) -> None:
        self.older.append([weakref.ref(one) for one in tensors(batch)])


@dataclass
class Forward:
    """One call of a module that has parameters, from outside every other module."""

    module: Any
    name: str | None
    place: Place | None
    inputs: list[Any]  # its tensors, in order
    output: Any
    is_grad: bool
    arguments: tuple[Any, ...] = ()
    named: dict[str, Any] = field(default_factory=dict)
    of: Pass | None = None
    batch: Any = None  # what the loader yielded for it
    beside: list[Pass] = field(default_factory=list)  # of which batches were joined to that one
    facts: dict[str, Any] = field(default_factory=dict)  # what held at the time of the call
    is_again: bool = False  # whether features that were computed before are computed again, for the next call
    is_waiting: bool = False  # whether the next batch was asked for and no backward call has come yet
