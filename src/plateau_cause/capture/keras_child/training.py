"""The door of training: `compile`, `fit`, `evaluate` and `predict`, each told to the mode of this run."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import FrameType, ModuleType
from typing import Any

from plateau_cause.capture.child.hooks import Hooks
from plateau_cause.capture.child.names import name_in
from plateau_cause.capture.child.places import Place, frame_here, here
from plateau_cause.capture.keras_child import library
from plateau_cause.capture.keras_child.around import around, bound
from plateau_cause.capture.keras_child.feeds import Feed, evaluation_feed, training_feed, validation_feed
from plateau_cause.capture.keras_child.scene import Compiled, Scene


@dataclass
class Call:
    """One call of `fit`, `evaluate` or `predict` by the script.

    Attributes:
        model: the model.
        given: the arguments by name, without the model.
        place: the line.
        compiled: the last `compile` of the model; None where it was compiled before anyone listened.
        names: what the script calls the images that it gives: of x, and of the validation data.
        is_stale: whether `trainable` was changed after `compile` in a way that this fit does not see.
        model_name: what the script calls the model.
    """

    model: Any
    given: dict[str, Any]
    place: Place | None
    compiled: Compiled | None
    names: dict[str, str | None] = field(default_factory=dict)
    is_stale: bool = False
    model_name: str | None = None

    @property
    def training(self) -> Feed:
        """Returns what is trained on."""
        return training_feed(self.given)

    @property
    def validation(self) -> Feed | None:
        """Returns what is validated on."""
        return validation_feed(self.given)

    @property
    def evaluation(self) -> Feed:
        """Returns what `evaluate` reads."""
        return evaluation_feed(self.given)


class Mode:
    """What a run does at the script's own calls; by default what Keras does."""

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
        self._depth = 0

    def install(self, keras: ModuleType) -> None:
        """Puts the doors in; `keras` has just been imported."""
        around(keras.Model, "compile", self._compile)
        around(keras.Model, "fit", self._outermost(self.mode.fitting))
        around(keras.Model, "evaluate", self._evaluate)
        around(keras.Model, "predict", self._outermost(self.mode.predicting))
        for name in ("save", "save_weights", "export"):
            around(keras.Model, name, self.mode.saving)

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
            self._depth, self.scene.is_training = 1, True
            try:
                return act(original, call)
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
