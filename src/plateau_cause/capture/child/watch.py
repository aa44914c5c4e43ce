"""A watched run: the script runs to its end, and every epoch is measured from what it computes itself."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plateau_cause.capture.child.course import Mode
from plateau_cause.capture.child.describe.document import located
from plateau_cause.capture.child.errors import describe_error
from plateau_cause.capture.child.files import write_json
from plateau_cause.capture.child.measure import measured
from plateau_cause.capture.child.movement import Movement
from plateau_cause.capture.child.passes import Forward, Loader, Pass
from plateau_cause.capture.child.places import Place
from plateau_cause.capture.child.plans import is_inside
from plateau_cause.capture.child.tally import Tally

if TYPE_CHECKING:
    from plateau_cause.capture.child.main import Doors

SCHEMA_VERSION = 1
SHARE = 0.02  # of the time so far that plateau's own measurements between epochs may take


class Watch(Mode):
    """Adds up what the script computes; writes `watch.json` whole after every epoch."""

    looks_closely = False
    file: str | None = "watch.json"

    def __init__(self) -> None:
        self.doors: Doors
        self.epochs: list[dict[str, Any]] = []
        self._started_s = time.perf_counter()
        self._own_s = 0.0
        self._tallies: dict[int, Tally] = {}  # pass → its batches
        self._model: Forward | None = None  # the last call for training
        self._movement = Movement()
        self._evaluated: list[Loader] = []
        self._most: dict[int, int] = {}  # loader → images of its longest evaluation
        self._within: list[dict[str, Any]] = []  # evaluations in the midst of an epoch
        self._error: BaseException | None = None
        self._is_over = False
        self._planned = 0  # epochs of all loops that have begun
        self._loop: Place | None = None  # the last of them
        self._stepped: dict[int, int] = {}  # optimizer → its steps by the end of the last epoch

    def about_to_call(self, module: Any) -> None:
        """Keeps the first weights of what is called before the first step."""
        import torch

        if not self.doors.stepping.steps and torch.is_grad_enabled():
            self._movement.begin(module)

    def called(self, forward: Forward) -> None:
        """Notes what the script calls a module."""
        self._movement.names.setdefault(id(forward.module), forward.name or "")

    def judged(self, forward: Forward, is_training: bool) -> None:
        """Adds a batch to the sums of its pass."""
        of = forward.of
        if of is None:
            return
        tally = self._tallies.setdefault(id(of), Tally())
        if is_training and tally.last is forward.batch:  # its second step, as of SAM or of a closure
            return
        tally.last = forward.batch
        tally.add(forward.output, forward.batch, self.doors.stepping.loss if is_training else None)
        if is_training:
            self._model = forward

    def passed(self, of: Pass) -> None:
        """Closes the epoch of a training pass, or adds an evaluation to the last one."""
        tally = self._tallies.pop(id(of), None)
        if tally is None:
            return
        middle = self.doors.losing.middle
        result = {"loader": of.of.name, "place": of.place, **tally.result(middle)}
        if not of.backwards:
            if self._is_broken_off(of, result["images"]):
                return
            self._evaluated.append(of.of)
            is_within = any(one.backwards and not one.ended for one in self.doors.course.open)
            rows = self._within if is_within else self._last()["evaluations"]
            rows.append({**result, "by": "the script"})
            return
        if of.plan and self._trained() >= self._planned:  # another loop, such as that of a second phase
            self._planned += of.plan[0]
            self._loop = of.plan[1]
        model = self._model
        self._close({**result, "in_training_mode": model is not None and model.module.training})

    def _is_broken_off(self, of: Pass, images: int) -> bool:
        """Returns whether a pass ended over fewer images than one before: it showed some of them, say."""
        most = max(images, self._most.get(id(of.of), 0))
        self._most[id(of.of)] = most
        return not of.is_read and images < most

    def ended(self, error: BaseException | None) -> None:
        """Measures once more what the script left, and writes the end."""
        self._error, self._is_over = error, True
        self.doors.hooks.attempt(self.doors.loading.name_unread)
        self._look(is_last=True)
        self._write("ended")

    def _close(self, result: dict[str, Any]) -> None:
        seconds = self.seconds
        self._drop_features(result["outputs"])
        within, self._within = self._within, []
        self.epochs.append({"epoch": self._trained() + 1, "training": result, "evaluations": within,
                            "rates": self._rates(), "seconds": seconds, "moved": None})  # fmt: skip
        if self._own_s < SHARE * seconds:
            self._look(is_last=False)
        self._write("running")

    def _trained(self) -> int:
        return sum(one["training"] is not None for one in self.epochs)

    def _rates(self) -> list[float]:
        """Returns the rates of the optimizers that have stepped in this epoch."""
        held = [one for one in self.doors.stepping.held if one.steps > self._stepped.get(id(one), 0)]
        self._stepped = {id(one): one.steps for one in self.doors.stepping.held}
        return [float(rate) for one in held for rate in one.last_rates]

    def _drop_features(self, outputs: int | None) -> None:
        """Drops evaluations before training of a network that only gave features to what is trained."""
        if len(self.epochs) == 1 and not self._trained():
            alike = [one for one in self.epochs[0]["evaluations"] if one["outputs"] == outputs]
            self.epochs = [{**self.epochs[0], "evaluations": alike}] if alike else []

    def _last(self) -> dict[str, Any]:
        if not self.epochs:  # an evaluation before any training
            self.epochs.append({"epoch": 0, "training": None, "evaluations": [], "rates": [],
                                "seconds": 0.0, "moved": None})  # fmt: skip
        return self.epochs[-1]

    def _look(self, is_last: bool) -> None:
        """Measures what moved and, at the end, the loaders that the script has not evaluated."""
        started_s = time.perf_counter()
        if self._movement.has_begun:
            self._last()["moved"] = self.doors.hooks.attempt(self._movement.so_far)
        if is_last and self._model is not None:
            for loader in self._unread():
                self.doors.hooks.attempt(self._measure, loader)
        self._own_s += time.perf_counter() - started_s

    def _unread(self) -> list[Loader]:
        course = self.doors.course
        return [one for one in (*course.loaders, *course.kept_back)
                if one.role == "unread" and all(one is not other for other in self._evaluated)]  # fmt: skip

    def _measure(self, loader: Loader) -> None:
        assert self._model is not None
        result = measured(loader.loader, self._model, self.doors.hooks, self.doors.losing.middle)
        self._last()["evaluations"].append(
            {"loader": loader.name, "place": loader.place, **result, "by": "plateau"}
        )

    @property
    def seconds(self) -> float:
        """Returns how long the script has run."""
        return time.perf_counter() - self._started_s

    def _write(self, status: str) -> None:
        if self.file is None:
            return
        error = None if self._error is None else describe_error(self._error)
        content = {
            "schema_version": SCHEMA_VERSION,
            "status": status,
            "script": {key: self.doors.job[key] for key in ("target", "is_module", "arguments")},
            "error": error,
            "is_trained": self._is_trained(),
            "seen": self.doors.spawning.seen(),
            "epochs_planned": self._planned or None,
            "epochs": self.epochs,
            "seconds": self.seconds,
            "own_seconds": self._own_s,
            "problems": self.doors.hooks.problems,
        }
        write_json(Path(self.doors.job["out"]) / self.file, located(content))

    def _is_trained(self) -> bool:
        """Returns whether the training is finished, by its plan or before: what failed, failed after it."""
        done = self._trained()
        is_open = any(one.backwards and not one.ended for loader in self.doors.course.loaders
                      for one in loader.passes)  # fmt: skip
        is_left = self._is_over and not (
            self._error is not None and self._loop and is_inside(self._error.__traceback__, self._loop)
        )
        return done > 0 and not is_open and (done >= self._planned or is_left)
