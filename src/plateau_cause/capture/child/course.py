"""The course of a script: which pass over which loader it is in, and which forward call was for training.

A forward call was for training when a backward call follows it before the next batch is asked for. Neither
the mode nor the gradients tell: scripts evaluate with gradients on, and train in evaluation mode by mistake.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from plateau_cause.capture.child.places import Place


@dataclass
class Loader:
    """A DataLoader that the script built."""

    loader: Any
    place: Place | None
    name: str | None = None  # the variable that holds it
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
    plan: tuple[int, Place] | None = None  # rounds of the `for … in range(…)` around it, and its line
    batches: int = 0
    forwards: int = 0
    backwards: int = 0
    ended: bool = False
    recent: deque[Any] = field(default_factory=lambda: deque(maxlen=2))  # a loader may read one batch ahead
    asked: deque[Any] = field(default_factory=deque)  # positions of the batches that are not yielded yet
    positions: deque[Any] = field(default_factory=lambda: deque(maxlen=2))  # of `recent`, in their data set


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
    facts: dict[str, Any] = field(default_factory=dict)  # what held at the time of the call


class Mode:
    """What a capture does with what it hears; Peek and Watch are such modes."""

    looks_closely = True  # whether values are compared to tell batches apart; waits for a device

    def wants_no_more(self, of: Pass) -> bool:
        """Returns whether a pass ends here, whatever the loader still holds; called before each batch."""
        return False

    def about_to_call(self, module: Any) -> None:
        """Hears of a forward call before it happens."""

    def called(self, forward: Forward) -> None:
        """Hears of a forward call that has returned, when its purpose is not known yet."""

    def trained(self, forward: Forward) -> None:
        """Hears of a forward call from which gradients have been computed."""

    def evaluated(self, forward: Forward) -> None:
        """Hears of a forward call that was not for training."""

    def judged(self, forward: Forward, is_training: bool) -> None:
        """Hears of the last call that was made for a batch: its output is what is judged."""

    def about_to_step(self, optimizer: Any) -> None:
        """Hears of a step before it happens."""

    def stepped(self, optimizer: Any) -> None:
        """Hears of a step that has been taken."""

    def passed(self, of: Pass) -> None:
        """Hears of the end of a pass."""

    def ended(self, error: BaseException | None) -> None:
        """Hears of the end of the script, with what it raised."""


class Course:
    """Orders what the hooks hear, and tells the mode what it was."""

    def __init__(self, mode: Mode) -> None:
        self.mode = mode
        self.loaders: list[Loader] = []
        self.backwards = 0
        self._open: list[Pass] = []
        self._pending: list[Forward] = []

    @property
    def current(self) -> Pass | None:
        """Returns the innermost pass that has begun and not ended."""
        return self._open[-1] if self._open else None

    def begin(self, of: Pass) -> None:
        """Notes a pass that begins; one left over of the same loader has ended without a word."""
        for left in [one for one in self._open if one.of is of.of]:
            self.end(left)
        of.of.passes.append(of)
        self._open.append(of)

    def end(self, of: Pass) -> None:
        """Notes that a pass has ended."""
        if of.ended:
            return
        self.settle()
        of.ended = True
        of.recent.clear()
        self._open = [one for one in self._open if one is not of]
        self.mode.passed(of)

    def forward(self, forward: Forward) -> None:
        """Notes a forward call, and finds the batch that it was made for."""
        link(forward, self._open, self.mode.looks_closely)
        if forward.of is not None:
            forward.of.forwards += 1
        self.mode.called(forward)
        if forward.of is None and not forward.is_grad and not self._open:  # no loader, no gradients
            self.mode.evaluated(forward)
        else:
            self._pending.append(forward)

    def backward(self) -> None:
        """Notes a backward call: what was called with gradients before it was for training."""
        self.backwards += 1
        pending, self._pending = self._pending, []
        trained = [one for one in pending if one.is_grad]
        for of in {id(one.of): one.of for one in trained if one.of is not None}.values():
            of.backwards += 1
        for forward in trained:
            self.mode.trained(forward)
        for forward in _last_of_each_batch(trained):
            self.mode.judged(forward, is_training=True)
        self._pending = [one for one in pending if not one.is_grad]

    def settle(self) -> None:
        """Decides what is undecided, when no backward call can follow any more.

        A call without gradients in the midst of training (a teacher, an average, a picture) is neither.
        """
        pending, self._pending = self._pending, []
        evaluated = [one for one in pending if one.of is None or not one.of.backwards]
        for forward in evaluated:
            self.mode.evaluated(forward)
        for forward in _last_of_each_batch(evaluated):
            self.mode.judged(forward, is_training=False)


def _last_of_each_batch(forwards: list[Forward]) -> list[Forward]:
    return list({id(one.batch): one for one in forwards}.values())


def link(forward: Forward, passes: list[Pass], looks_closely: bool) -> None:
    """Sets the pass and the batch that a forward call was made for: the same tensor, else the same size."""
    candidates = [(one, batch) for one in reversed(passes) for batch in reversed(one.recent)]
    tests = (_is_same, _is_equal, _is_as_many) if looks_closely else (_is_same, _is_as_many)
    for is_match in tests:
        for one, batch in candidates:
            if any(is_match(given, loaded) for given in forward.inputs for loaded in tensors(batch)):
                forward.of, forward.batch = one, batch
                return


def tensors(value: Any) -> list[Any]:
    """Returns the tensors in nested lists, tuples, dicts and output objects, in order."""
    if hasattr(value, "data_ptr") and hasattr(value, "shape"):
        return [value]
    if hasattr(value, "items"):
        return [tensor for _, item in value.items() for tensor in tensors(item)]
    if isinstance(value, (list, tuple)):
        return [tensor for item in value for tensor in tensors(item)]
    return []


def _is_same(given: Any, loaded: Any) -> bool:
    return bool(given is loaded or (given.numel() and given.data_ptr() == loaded.data_ptr()))


def _is_equal(given: Any, loaded: Any) -> bool:
    """Compares the first image's corner only: on another device a whole batch is dear to compare."""
    if given.shape != loaded.shape or not given.ndim:
        return False
    first, second = (tensor[(0,) * (tensor.ndim - 1)].detach().float().cpu() for tensor in (given, loaded))
    return bool(((first - second).abs() <= 1e-2 * (1 + second.abs())).all())


def _is_as_many(given: Any, loaded: Any) -> bool:
    return bool(given.ndim and loaded.ndim and len(given) == len(loaded))
