"""A peek: every fit of the script runs two steps and one batch of validation; nothing is saved."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from plateau_cause.capture.keras_child import feeds
from plateau_cause.capture.keras_child.call import Call
from plateau_cause.capture.keras_child.describe.origins import is_part, is_shuffled
from plateau_cause.capture.keras_child.describe.training import callbacks, describe_training, epochs_of
from plateau_cause.capture.keras_child.doors import Doors
from plateau_cause.capture.keras_child.looking import Look, Phase, look
from plateau_cause.capture.keras_child.training import Mode


class Peek(Mode):
    """Looks at the first fit after every `compile`; the others return what that one returned.

    Args:
        limit_s: how long to wait for the script to go on, or end, after its first fit.
        finish: writes the peek and ends the process.
    """

    sees_through = True

    def __init__(self, limit_s: float, finish: Callable[[BaseException | None], None]) -> None:
        self.limit_s, self.finish = limit_s, finish
        self.doors: Doors
        self.looks: list[Look] = []
        self.stale: list[Call] = []  # fits that do not see what was changed since `compile`
        self.evaluations: list[Call] = []
        self.shuffled: list[Call] = []  # predictions of images in another order in every pass
        self.is_cut = False  # whether the script may fail for having trained too little
        self._phase = Phase()
        self._timer: threading.Timer | None = None

    def listen(self) -> None:
        """Puts the ear for layers that act as in training in.

        A loop by hand is not awaited to its end, which may be hours away: a fit has to come soon.
        """
        self.doors.acts.append(self._phase)
        self.doors.scene.when_by_hand = self._wait

    def fitting(self, original: Any, call: Call) -> Any:
        """Returns the history of two steps."""
        known = next((one for one in self.looks if one.call.compiled is call.compiled), None)
        if call.is_stale:
            self.stale.append(call)
        if known is None:
            self._stop_waiting()
            known = look(original, call, self.doors, self._phase)
            known.told = describe_training(known, self.doors.scene)
            self.looks.append(known)
            self._wait()
        else:
            known.further += epochs_of(call.given)  # loops over fits of one epoch
        self.is_cut = True
        self.doors.scene.fitted.add(id(call.model))
        for loaded in self.doors.scene.loaded:  # what is trained again
            loaded.is_late = loaded.is_late and loaded.model is not call.model
        for one in callbacks(call):
            if type(one).__name__ == "ModelCheckpoint":
                self.doors.scene.unsaved.keep(getattr(one, "filepath", None), call.model)
        return known.history

    def evaluating(self, original: Any, call: Call) -> Any:
        """Returns what one batch gives."""
        self.evaluations.append(call)
        return original(call.model, **{**call.given, "steps": 1, "verbose": 0})

    def predicting(self, original: Any, call: Call) -> Any:
        """Returns what one batch gives, as often as there are images; of features one for each of them."""
        import numpy as np

        feed = call.evaluation
        if (
            feed.kind != "arrays"
            and is_shuffled(feed, self.doors.scene)
            and not is_part(feed, self.doors.scene)
        ):
            self.shuffled.append(call)
        if feed.kind != "arrays" and self.looks:  # training has been seen: nothing is made of it any more
            return original(call.model, **{**call.given, "steps": 1, "verbose": 0})
        total = feeds.total(feed)
        if feed.kind != "arrays":
            call.given = {"x": feeds.some(feed, 1, goes_on=True)[0][0]}
        found = original(call.model, **{**call.given, "steps": 1, "verbose": 0})
        return np.resize(found, (total, *found.shape[1:])) if isinstance(found, np.ndarray) else found

    def evaluates_within(self, is_on: bool) -> None:
        """Tells which layers act in validation from those in a step."""
        self._phase.name = "evaluation" if is_on else "training"

    def saving(self, original: Any, *arguments: Any, **named: Any) -> Any:
        """Saves nothing: two steps are no reason to write over a finished model."""
        model, path, *_ = [*arguments, *named.values(), None]
        self.doors.scene.unsaved.keep(path, model)

    def _wait(self) -> None:
        self._stop_waiting()
        self._timer = threading.Timer(self.limit_s, self.finish, [None])
        self._timer.daemon = True
        self._timer.start()

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
