"""A replay: the script runs to its end with interventions at its fits, and every held-out image is judged."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from plateau_cause.capture.child import confusion
from plateau_cause.capture.child.describe.document import located
from plateau_cause.capture.child.errors import describe_error
from plateau_cause.capture.child.files import write_json
from plateau_cause.capture.child.places import Place
from plateau_cause.capture.keras_child import judging, library
from plateau_cause.capture.keras_child.around import around
from plateau_cause.capture.keras_child.call import Call
from plateau_cause.capture.keras_child.describe.base import find
from plateau_cause.capture.keras_child.describe.origins import is_shuffled
from plateau_cause.capture.keras_child.doors import Doors
from plateau_cause.capture.keras_child.feeds import Feed, some, whole
from plateau_cause.capture.keras_child.interventions.base import Fit, Phase
from plateau_cause.capture.keras_child.interventions.held_out import HoldOut
from plateau_cause.capture.keras_child.interventions.kinds import KINDS, ORDER
from plateau_cause.capture.keras_child.overlap import is_trained_on
from plateau_cause.capture.keras_child.watch import Watch

SEED_APART = 1009


class Replay(Watch):
    """Watches, changes every fit, and judges the held-out images at the script's end."""

    def __init__(self, job: dict[str, Any], problems: list[str]) -> None:
        super().__init__(job, problems)
        self.doors: Doors
        self.phase = Phase()
        settings = job.get("settings", {})
        names = sorted(job["interventions"], key=ORDER.index)
        self.trained_on: list[Feed] = []  # what the script gave its fits, before any change
        self.changes = [KINDS[name](name, settings.get(name) or {}) for name in names]
        self._compiled: list[tuple[Any, Any]] = []  # of every fit so far, each once, with its model

    def listen(self, doors: Doors) -> None:
        """Puts the ears of the changes in."""
        self.doors = doors
        for change in self.changes:
            change.listen(doors, self.phase)

    def write(self, status: str) -> None:
        """Writes nothing on the way: a replay is whole or not there."""

    def fitting(self, original: Any, call: Call) -> Any:
        """Returns the history of a changed fit."""
        self._begin(call)
        self.trained_on.append(call.training)
        fit = self._prepared(call)
        call.given = {**call.given, **fit.given}
        self.phase.is_training = True
        try:
            history = original(call.model, **self._heard(call))
        finally:
            self.phase.is_training = False
        for change in self.changes:
            change.ended(fit)
        self._finish(call)
        return history

    def predicting(self, original: Any, call: Call) -> Any:
        """Returns what a network computes; a pipeline is read whole before, for its images to be known."""
        if self.sees_through and call.evaluation.kind != "arrays":
            call.given = {"x": whole(call.evaluation)[0], "verbose": call.given.get("verbose", "auto")}
        return original(call.model, **call.given)

    @property
    def sees_through(self) -> bool:  # type: ignore[override]
        """Returns whether a change reaches the network: else features are what is trained on, as given."""
        return any(one.reaches_base for one in self.changes)

    def evaluates_within(self, is_on: bool) -> None:
        """Tells the changes that a fit validates now."""
        self.phase.is_training = not is_on

    def ended(self, error: BaseException | None) -> None:
        """Judges the held-out images, and writes the result."""
        self.error = error
        sheets: dict[str, tuple[judging.Sheet, Call]] = {}
        for split, (call, feed) in self._held_out().items():
            try:
                sheets[split] = (self._judged(call, feed), call)
            except Exception as problem:
                self.problems.append(f"held-out images: {type(problem).__name__}: {problem}")
        out = Path(self.job["out"])
        if sheets:
            judging.write(out / "hits.npz", {split: sheet for split, (sheet, _) in sheets.items()})
        write_json(out / "replay.json", located(self._content(sheets)))

    def _prepared(self, call: Call) -> Fit:
        """Returns the fit with its changes made, its model compiled again where there are any."""
        compiled = dict(call.compiled.arguments) if call.compiled else {}
        if not judging.built(call.model):
            call.model(some(call.training, 1, goes_on=True)[0][0])
        fit = Fit(call, find(call.model, self.doors.scene), dict(call.given), compiled)
        if not self.changes or not call.compiled:
            return fit
        if all(one is not call.compiled for one, _ in self._compiled):
            self._compiled.append((call.compiled, call.model))
        fit.number = next(i for i, (one, _) in enumerate(self._compiled) if one is call.compiled)
        fit.compiled_before = [self._phase(number) for number in range(fit.number + 1)]
        changes = [one for one in self.changes if one.means(fit)]
        self.phase.is_training = True
        for change in changes:
            change.before(fit)
        asks = any(one.compiles for one in changes)
        if asks and (not call.is_stale or any(one.unseals for one in changes)):
            fit.compile()
            for change in changes:
                change.after(fit)
        self.phase.is_training = False
        return fit

    def _phase(self, number: int) -> tuple[Place | None, int]:
        """Returns the line of a `compile`, and how often its model was compiled before."""
        compiled, model = self._compiled[number]
        return compiled.place, sum(other is model for _, other in self._compiled[:number])

    def _held_out(self) -> dict[str, tuple[Call, Feed]]:
        """Returns the script's held-out images: of its last fit, and of its last other evaluation."""
        for one in self.changes:
            if isinstance(one, HoldOut):  # of a fit that it could not divide, all images were trained on
                return {"val": (self.fits[-1], one.held)} if one.took and one.held and self.fits else {}
        given = [(one, one.validation) for one in self.fits]
        validated = [(one, feed) for one, feed in given if feed is not None and self._is_held_out(feed)]
        known = [feed.x for _, feed in validated[-1:]]
        evaluated = [(one, one.evaluation) for one in self.evaluations]
        others = [(one, feed) for one, feed in evaluated
                  if self._is_held_out(feed) and all(feed.x is not x for x in known)]  # fmt: skip
        return {split: ones[-1] for split, ones in (("val", validated), ("test", others)) if ones}

    def _is_held_out(self, feed: Feed) -> bool:
        return not is_trained_on(feed, self.trained_on, self.doors.scene)

    def _judged(self, call: Call, feed: Feed) -> judging.Sheet:
        shuffled = bool(is_shuffled(feed, self.doors.scene))
        for change in self.changes:
            feed = change.held_out(feed)

        def labels(numbers: Any) -> Any:
            for change in self.changes:
                numbers = change.labels(numbers)
            return numbers

        return judging.judge(call.model, feed, labels, shuffled)

    def _content(self, sheets: dict[str, tuple[judging.Sheet, Call]]) -> dict[str, Any]:
        rows = [epoch["training"] for epoch in self.epochs if epoch["training"]]
        return {
            "train_accuracy": rows[-1]["accuracy"] if rows else None,
            "evaluations": {split: _told(sheet, call) for split, (sheet, call) in sheets.items()},
            "epochs": self.epochs,
            "is_trained": self.is_trained,
            "seconds": self.seconds,
            "steps": self.steps,
            "interventions": {
                one.name: {"took": one.took, "words": one.words, **one.found} for one in self.changes
            },
            "error": None if self.error is None else describe_error(self.error),
            "problems": self.problems,
        }


def _told(sheet: judging.Sheet, call: Call) -> dict[str, Any]:
    name = call.names.get("validation" if call.validation is not None else "x")
    return {**confusion.told(sheet.predicted, sheet.labels), "place": call.place, "loader": name}


def seed_tensorflow(tensorflow: ModuleType, seed: int) -> None:
    """Seeds everything that TensorFlow scripts draw from, and has operations give the same twice."""
    import numpy as np

    for owner, name in ((random, "seed"), (np.random, "seed"), (tensorflow.random, "set_seed")):
        getattr(owner, name)(SEED_APART * seed)
        _moved(owner, name, seed)
    tensorflow.config.experimental.enable_op_determinism()


def seed_keras(keras: ModuleType, seed: int) -> None:
    """Seeds Keras on another backend than TensorFlow, which is seeded when it is there."""
    if library.backend(keras) == "tensorflow":
        return
    keras.utils.set_random_seed(SEED_APART * seed)
    _moved(keras.utils, "set_random_seed", seed)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.use_deterministic_algorithms(True, warn_only=True)


def _moved(owner: Any, name: str, seed: int) -> None:
    """Moves the seeds that the script sets from now on; the replay of seed 0 leaves them as they are."""

    def act(original: Any, *arguments: Any, **named: Any) -> Any:
        given = [one + SEED_APART * seed if isinstance(one, int) else one for one in arguments]
        told = {key: one + SEED_APART * seed if isinstance(one, int) else one for key, one in named.items()}
        return original(*given, **told)

    if seed:
        around(owner, name, act)
