"""What a run of a script suggests to change besides what its peek has listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from plateau_cause.capture.possible.change import Possible
from plateau_cause.capture.possible.lagging import lagging
from plateau_cause.capture.possible.lighter import lighter, undecayed
from plateau_cause.capture.possible.longer import longer, to_the_end
from plateau_cause.capture.possible.rate import rate
from plateau_cause.capture.possible.relabelled import relabelled
from plateau_cause.capture.possible.script import possible
from plateau_cause.capture.replay import Replays, ReplaysOnPart
from plateau_cause.capture.rules.every import standing
from plateau_cause.capture.rules.observation import Peeked
from plateau_cause.diagnosis.replays import Factor, Replay, accuracy, classes
from plateau_cause.diagnosis.script import Ask
from plateau_cause.diagnosis.script_alarms import is_far_below
from plateau_cause.diagnosis.symptoms import LOW, is_unfinished, is_unfitted, suspect

MOST_TIMES, LEAST_TIMES = 3, 2  # as long a training is tried, as far as there is room


@dataclass(frozen=True)
class Asks:
    """Changes that a run's curves ask for; those of causes that nobody asks about are left out.

    Attributes:
        peeked: the peek of the script.
        bench: where it is run; takes the settings of every change.
        causes: `diagnosis.factors` of params.yaml: `all`, or names of causes.
        known: names of the changes that the peek has listed.
        reads_all: whether runs read all training images.
    """

    peeked: Peeked
    bench: Replays | ReplaysOnPart
    causes: str | Sequence[str]
    known: frozenset[str] = frozenset()
    reads_all: bool = True

    def in_turn(self) -> list[Ask]:
        """Returns what is asked of the best run so far, one after the other."""
        asks = self.relabelled, self.lagging, self.undecayed, self.rated, self.lighter, self.lengthened
        return [self._prepared(ask) for ask in asks]

    def standing(self, run: Replay) -> list[Possible]:
        """Returns what moves the layers that stood still to the end of the script's own run."""
        content, folder = self.peeked.content, self.peeked.folder
        seen = standing(content, folder, run.content)
        causes = {one.cause for one in seen}
        found = self.asked([one for one in possible(content, folder, seen) if one.cause in causes])
        for one in found:
            self.bench.prepare(one)
        return found

    def relabelled(self, run: Replay, room: float) -> list[Possible]:
        """Returns held-out labels in the numbers of training, where the model takes one class for another."""
        found = relabelled(self.peeked, run.content["evaluations"], run.content["train_accuracy"])
        return [] if found is None else [found]

    def lagging(self, run: Replay, room: float) -> list[Possible]:
        """Returns batch norms that train as they are judged, where hardly anything learned carries over."""
        if not is_far_below(accuracy(run), run.content["train_accuracy"]):
            return []
        found = lagging(self.peeked, run.content["steps"])
        return [] if found is None or found.name in self.known else [found]

    def undecayed(self, run: Replay, room: float) -> list[Possible]:
        """Returns a training without a strong decay, where images were not fitted."""
        return self._new(undecayed(self.peeked)) if is_unfitted(run.content["epochs"]) else []

    def rated(self, run: Replay, room: float) -> list[Possible]:
        """Returns a training under another rate."""
        content = self.peeked.content
        change = self.peeked.change_per_step if content.get("model") else None
        cause = suspect(run.content["epochs"], classes(run), change)
        if cause == LOW and "rates_level" in self.known:
            return []  # the steps that were measured are mostly those of the group that stands still
        return [rate(self.peeked, cause, is_sure=False)] if cause and content.get("optimizers") else []

    def lighter(self, run: Replay, room: float) -> list[Possible]:
        """Returns a training with less augmentation or dropout, where images were not fitted."""
        return self._new(lighter(self.peeked)) if is_unfitted(run.content["epochs"]) else []

    def lengthened(self, run: Replay, room: float) -> list[Possible]:
        """Returns a longer training, where one on all images was still learning."""
        epochs, times = run.content["epochs"], min(MOST_TIMES, int(room))
        if not self.reads_all or not is_unfinished(epochs):
            return []
        trained = sum(bool(one["training"]) for one in epochs)
        found = to_the_end(self.peeked, trained, room)
        if found is None and times >= LEAST_TIMES:
            found = longer(self.peeked, times, trained)
        return [] if found is None or found.name in self.known else [found]

    def _new(self, found: Sequence[Possible]) -> list[Possible]:
        """Returns the changes that a peek has not asked for already."""
        return [one for one in found if one.name not in self.known]

    def asked(self, found: Sequence[Possible]) -> list[Possible]:
        """Returns the changes whose cause is asked about."""
        return [one for one in found if self.causes == "all" or one.cause in self.causes]

    def _prepared(self, ask: Ask) -> Ask:
        def asked_of(run: Replay, room: float) -> list[Factor]:
            found = self.asked([one for one in ask(run, room) if one.name not in run.interventions])  # type: ignore[misc]
            for one in found:  # those that the run has keep their settings
                self.bench.prepare(one)
            return list(found)

        return asked_of
