"""The door of training: `compile`, `fit`, `evaluate` and `predict`, each told to the mode of this run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import FrameType, ModuleType
from typing import Any

from plateau_cause.capture.child.describe.names import name_in
from plateau_cause.capture.child.doors.hooks import Hooks
from plateau_cause.capture.child.places import frame_here, here
from plateau_cause.capture.keras_child import library
from plateau_cause.capture.keras_child.around import around, bound, everywhere
from plateau_cause.capture.keras_child.beforehand import Beforehand
from plateau_cause.capture.keras_child.call import Call
from plateau_cause.capture.keras_child.scene import Compiled, Scene


class Mode:
    """What a run does at the script's own calls; by default what Keras does.

    `sees_through` says whether fits on features read the images that these were computed from.
    """

    sees_through = False

    def compiling(self, model: Any, given: dict[str, Any]) -> dict[str, Any]:
        """Returns the arguments of `compile`."""
        return given

    def fitting(self, original: Any, call: Call) -> Any:
        """Returns the history of a fit."""
        return original(call.model, **call.given)

    def evaluating(self, original: Any, call: Call) -> Any:
        """Returns what `evaluate` returns."""
        return original(call.model, **call.given)

    def predicting(self, original: Any, call: Call) -> Any:
        """Returns what `predict` returns."""
        return original(call.model, **call.given)

    def evaluates_within(self, is_on: bool) -> None:
        """Is told when a fit begins to validate, and when it has done so."""

    def saving(self, original: Any, *arguments: Any, **named: Any) -> Any:
        """Saves, or does not."""
        return original(*arguments, **named)


class Training:
    """Tells the script's own calls to a mode; calls that Keras makes itself pass through."""

    def __init__(self, hooks: Hooks, scene: Scene, mode: Mode) -> None:
        self.hooks, self.scene, self.mode = hooks, scene, mode
        self.beforehand = Beforehand(scene)
        self._depth = 0

    def install(self, keras: ModuleType) -> None:
        """Puts the doors in; `keras` has just been imported."""
        around(keras.Model, "compile", self._compile)
        around(keras.Model, "fit", self._outermost(self.mode.fitting))
        around(keras.Model, "train_on_batch", self._train_on_batch)
        around(keras.Model, "evaluate", self._evaluate)
        around(keras.Model, "predict", self._outermost(self._predicted))
        around(keras.Model, "predict_on_batch", self._predicted_on_batch)
        for name in ("save", "save_weights", "export"):
            around(keras.Model, name, self.mode.saving)
        everywhere({"save_model": self.mode.saving}, (keras.__name__.partition(".")[0],))

    def _compile(self, original: Any, *arguments: Any, **named: Any) -> Any:
        if self.hooks.paused or self._depth:
            return original(*arguments, **named)
        given = bound(original, arguments, named)
        model = given.pop("self")
        self.scene.compiled.remember(model, Compiled(here(), given, self.scene.now()))
        return original(model, **self.mode.compiling(model, given))

    def _outermost(self, act: Any) -> Any:
        def called(original: Any, *arguments: Any, **named: Any) -> Any:
            if self.hooks.paused or self._depth:
                return original(*arguments, **named)
            call = self._call(original, arguments, named)
            self._depth, self.scene.is_training, self.scene.training_at = 1, True, call.place
            try:
                with self._seen(original, call) as seen:
                    return act(original, seen)
            finally:
                self._depth, self.scene.is_training = 0, False
                if original.__name__ == "fit" and call.compiled and call.compiled.trainable is None:
                    call.compiled.trainable = library.trainable(call.model)

        return called

    def _evaluate(self, original: Any, *arguments: Any, **named: Any) -> Any:
        if not self._depth:
            return self._outermost(self.mode.evaluating)(original, *arguments, **named)
        self.mode.evaluates_within(True)
        try:
            return original(*arguments, **named)
        finally:
            self.mode.evaluates_within(False)

    def _train_on_batch(self, original: Any, *arguments: Any, **named: Any) -> Any:
        if not self.hooks.paused and not self._depth and self.scene.by_batch is None:
            self.scene.by_batch = here()
            self.scene.when_by_hand()
        return original(*arguments, **named)

    @contextlib.contextmanager
    def _seen(self, original: Any, call: Call) -> Iterator[Call]:
        """Yields a call on features as one on the images, where this run sees through."""
        images = {"fit": ("x", "validation_data"), "evaluate": ("x",)}.get(original.__name__)
        if images is None or not self.mode.sees_through:
            yield call
            return
        with self.beforehand.seen_through(call, images) as seen:
            yield seen

    def _predicted(self, original: Any, call: Call) -> Any:
        found = self.mode.predicting(original, call)
        self._keep(call.model, call.given.get("x"), found, call.place)
        return found

    def _predicted_on_batch(self, original: Any, model: Any, x: Any) -> Any:
        found = original(model, x)
        self.called(model, (x,), found)
        return found

    def called(self, layer: Any, given: tuple[Any, ...], found: Any) -> None:
        """Hears what a layer returned; features are what a network returns before it is trained."""
        if given and not self._depth and (library.is_model(layer) or self.scene.networks.of(layer)):
            self._keep(layer, given[0], found, here())

    def _keep(self, *about: Any) -> None:
        if self.mode.sees_through:
            self.hooks.hear(self.beforehand.keep, *about)

    def _call(self, original: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Call:
        given = bound(original, arguments, named)
        model = given.pop("self")
        compiled = self.scene.compiled.of(model)
        frame = frame_here()
        call = Call(model, given, here(), compiled, _names(frame, given), model_name=name_in(frame, model))
        if original.__name__ == "fit" and compiled is not None:
            graphs = library.backend(library.of(model)) == "tensorflow" and not model.run_eagerly
            seen = compiled.trainable
            call.is_stale = graphs and seen is not None and seen != library.trainable(model)
        return call


def _names(frame: FrameType | None, given: dict[str, Any]) -> dict[str, str | None]:
    """Returns what the script calls its images."""
    data = given.get("validation_data")
    held = data[0] if isinstance(data, tuple) else data
    return {"x": name_in(frame, given.get("x")), "validation": None if held is None else name_in(frame, held)}
