"""The doors of weights: what was read from a file into a model, and how much of it fitted."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

from plateau_cause.capture.child.doors.hooks import Hooks
from plateau_cause.capture.child.places import Place, here
from plateau_cause.capture.keras_child import library
from plateau_cause.capture.keras_child.around import around, everywhere
from plateau_cause.capture.keras_child.describe import known
from plateau_cause.capture.keras_child.scene import Scene

# With these Keras loads what fits; so may TensorFlow's checkpoints, which return their status. Otherwise all
# of a file fits or Keras raises: what is changed may be nothing, if the same weights are loaded again.
PARTIAL = ("by_name", "skip_mismatch")


@dataclass
class Loaded:
    """Weights that were read from a file into a model."""

    model: Any
    place: Place | None
    file: str
    matched: int  # variables that were filled
    tensors: int
    is_late: bool = False  # whether the model was trained before, and the file is none of its own


class Loading:
    """Listens to what loads weights into a model; what it hears stands in `scene.loaded`."""

    def __init__(self, hooks: Hooks, scene: Scene) -> None:
        self.hooks, self.scene = hooks, scene
        self._depth = 0

    def install(self, keras: ModuleType) -> None:
        """Puts the listeners into one Keras."""
        for name in known.LOADERS:
            around(keras.Model, name, self._load)
        everywhere({"load_model": self._load_model}, (keras.__name__.partition(".")[0],))

    def _load(self, original: Any, model: Any, *arguments: Any, **named: Any) -> Any:
        if self.scene.unsaved.of([*arguments, *named.values()][0]) is not None:
            return None  # it has these weights, and trains on
        before = self.hooks.hear(_copies, model)
        result = original(model, *arguments, **named)
        file = str([*arguments, *named.values()][0])
        is_partial = result is not None or any(named.get(one) for one in PARTIAL)
        self.hooks.hear(self._loaded, model, before or {} if is_partial else {}, file)
        return result

    def _load_model(self, original: Any, *arguments: Any, **named: Any) -> Any:
        """Returns a whole model from a file; one function of this name calls another."""
        file = [*arguments, *named.values()][0]
        known = self.scene.unsaved.of(file)
        if known is not None:
            return known
        self._depth += 1
        try:
            model = original(*arguments, **named)
        finally:
            self._depth -= 1
        if not self._depth:
            self.hooks.hear(self._loaded, model, {}, str(file))
        return model

    def _loaded(self, model: Any, before: dict[int, Any], file: str) -> None:
        """Counts what was changed since; everything where nothing is given to compare with."""
        place = here()
        if place is None:
            return
        held = library.variables(model)
        changed = [one for one in held if id(one.variable) not in before
                   or bool((library.values(one.variable) != before[id(one.variable)]).any())]  # fmt: skip
        is_late = id(model) in self.scene.fitted and not self.scene.unsaved.may_hold(file)
        self.scene.loaded.append(Loaded(model, place, file, len(changed), len(held), is_late))


def _copies(model: Any) -> dict[int, Any]:
    return {id(one.variable): library.values(one.variable).copy() for one in library.variables(model)}
