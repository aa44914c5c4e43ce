"""The course of a script: which pass over which loader it is in, and which forward call was for training.

A forward call was for training when a backward call follows it before the next batch is asked for. Neither
the mode nor the gradients tell: scripts evaluate with gradients on, and train in evaluation mode by mistake.
"""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.child.linking import feeds, link
from plateau_cause.capture.child.passes import Forward, Loader, Pass
from plateau_cause.capture.child.places import Place


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

    def fed(self, forward: Forward) -> None:
        """Hears, before `trained`, of a call without gradients whose output went into one for training."""

    def evaluated(self, forward: Forward) -> None:
        """Hears of a forward call that was not for training."""

    def judged(self, forward: Forward, is_training: bool) -> None:
        """Hears of the last call that was made for a batch: its output is what is judged."""

    def about_to_step(self, optimizer: Any) -> None:
        """Hears of a step before it happens."""

    def stepped(self, optimizer: Any) -> None:
        """Hears of a step that has been taken."""

    def spawned(self) -> None:
        """Hears that the script is about to train in other processes."""

    def passed(self, of: Pass) -> None:
        """Hears of the end of a pass."""

    def ended(self, error: BaseException | None) -> None:
        """Hears of the end of the script, with what it raised."""


class Course:
    """Orders what the hooks hear, and tells the mode what it was."""

    def __init__(self, mode: Mode) -> None:
        self.mode = mode
        self.loaders: list[Loader] = []
        self.kept_back: list[Loader] = []  # over images that an intervention holds out
        self.backwards = self.calls = self.begun = 0
        self.plan: tuple[int, Place | None] | None = None  # epochs that a framework was asked for
        self.in_backward = 0  # how many backward calls are under way, one within the other
        self.is_rehearsal = False  # whether a framework tries out its evaluation before training
        self.callbacks: list[dict[str, Any]] = []  # of a framework that wait for a metric
        self.thaws: Place | None = None  # where a framework was told to unfreeze layers later
        self._open: list[Pass] = []
        self._pending: list[Forward] = []

    @property
    def open(self) -> list[Pass]:
        """Returns the passes that have begun and not ended."""
        return list(self._open)

    @property
    def current(self) -> Pass | None:
        """Returns the innermost pass that has begun and not ended."""
        return self._open[-1] if self._open else None

    def begin(self, of: Pass) -> None:
        """Notes a pass that begins; one left over of the same loader has ended without a word.

        So has an evaluation whose batches have all been in the model: frameworks count them and ask no more.
        """
        self.end_read()
        for left in [one for one in self._open if one.of is of.of or _is_over(one)]:
            self.end(left)
        of.number, self.begun = self.begun, self.begun + 1
        of.of.passes.append(of)
        self._open.append(of)

    def yielded(self, of: Pass, batch: Any) -> None:
        """Notes a batch; a pass that was taken for ended goes on."""
        if of.ended:
            of.ended = False
            self._open.append(of)
        of.yielded(batch)

    def read(self, of: Pass) -> None:
        """Notes that a pass has no more batches: it ends when the last of them has been in the model."""
        of.is_read = True
        if of.is_used_up:
            self.end(of)

    def end_read(self) -> None:
        """Ends the passes that have no more batches."""
        for of in [one for one in self._open if one.is_read]:
            self.end(of)

    def end(self, of: Pass) -> None:
        """Notes that a pass has ended."""
        if of.ended:
            return
        self._settle_but([one for one in self._pending if one.is_grad and _is_of_training(one)])
        of.close()
        self._open = [one for one in self._open if one is not of]
        self.mode.passed(of)

    def forward(self, forward: Forward) -> None:
        """Notes a forward call, and finds the batch that it was made for."""
        if self.is_rehearsal:
            return
        if any(one.is_waiting for one in self._pending):
            self.settle()
        self.calls += 1
        lasts = [one.passes[-1] for one in self.loaders if one.passes]
        link(forward, self._open, lasts, self.mode.looks_closely)
        for of in _passes(forward):
            of.forwards += 1
        self.mode.called(forward)
        is_alone = forward.of is None and not self._open  # no loader
        if is_alone and not forward.is_grad and not forward.is_again:
            self.mode.evaluated(forward)
        else:
            self._pending.append(forward)

    def backward(self) -> None:
        """Notes a backward call: what was called with gradients before it was for training."""
        self.backwards += 1
        pending, self._pending = self._pending, []
        trained = [one for one in pending if one.is_grad]
        for of in {id(of): of for one in trained for of in _passes(one)}.values():
            of.backwards += 1
        for forward in pending:
            if not forward.is_grad and any(feeds(forward, one) for one in trained):
                self.mode.fed(forward)
        for forward in trained:
            self.mode.trained(forward)
        for forward in _last_of_each_batch(trained):
            self.mode.judged(forward, is_training=True)
        self._pending = [one for one in pending if not one.is_grad]

    def batch_wanted(self) -> None:
        """Notes that the next batch is asked for.

        What had gradients may still get its backward call: scripts ask for a batch ahead of it. The next call
        of a module decides.
        """
        self._settle_but([one for one in self._pending if one.is_grad])

    def _settle_but(self, undecided: list[Forward]) -> None:
        """Decides what can be decided: not the other calls for a batch of which one is undecided."""
        batches = {id(one.batch) for one in undecided if one.batch is not None}
        kept = [one for one in self._pending
                if id(one.batch) in batches or any(one is other for other in undecided)]  # fmt: skip
        self._pending = [one for one in self._pending if not any(one is other for other in kept)]
        self.settle()
        self._pending = kept
        for one in undecided:
            one.is_waiting = True

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


def _passes(forward: Forward) -> list[Pass]:
    """Returns the passes of which a call was given batches."""
    return [] if forward.of is None else [forward.of, *forward.beside]


def _is_of_training(forward: Forward) -> bool:
    return forward.of is not None and forward.of.of.role == "train"


def _is_over(of: Pass) -> bool:
    return not of.backwards and 0 < of.used == of.batches


def _last_of_each_batch(forwards: list[Forward]) -> list[Forward]:
    return list({id(one.batch): one for one in forwards}.values())
