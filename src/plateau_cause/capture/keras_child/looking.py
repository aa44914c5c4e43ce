"""One fit of the script, seen closely: two steps and one batch of validation in place of its epochs."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import Any

from plateau_cause.capture.child.places import Place
from plateau_cause.capture.keras_child import cutting, feeds, library
from plateau_cause.capture.keras_child.call import Call
from plateau_cause.capture.keras_child.clipping import measured
from plateau_cause.capture.keras_child.cutting import STEPS, few
from plateau_cause.capture.keras_child.describe.base import Base, find
from plateau_cause.capture.keras_child.describe.probe import probe
from plateau_cause.capture.keras_child.doors import Doors
from plateau_cause.capture.keras_child.elsewhere import Elsewhere, elsewhere
from plateau_cause.capture.keras_child.feeds import Feed
from plateau_cause.capture.keras_child.loss_scale import hardly_scaled
from plateau_cause.capture.keras_child.nested import arrays, class_numbers, first_array
from plateau_cause.capture.keras_child.scene import Scene

BATCHES = 64  # of labels, at most
PATIENCE = 32  # steps until something has moved
PROBED = 6  # images that are looked at on their way through the model


@dataclass
class Batches:
    """What a feed gave: its first images, labels in the order in which they came, probes."""

    feed: Feed
    first: Any = None
    labels_first: Any = None  # labels of the first images, as they are
    labels: Any = None  # class numbers (n,), or None
    label_shape: list[int] | None = None
    probed: dict[str, Any] | None = None


@dataclass
class Look:
    """A fit and what two steps of it did."""

    call: Call
    base: Base | None
    training: Batches
    validation: Batches | None
    trained: set[int] = field(default_factory=set)  # identities of the variables that training may move
    moved: dict[int, float] = field(default_factory=dict)  # variable → norm of its change
    norms: dict[int, float] = field(default_factory=dict)  # variable → its own norm before
    acting: dict[str, dict[int, bool]] = field(default_factory=lambda: {"training": {}, "evaluation": {}})
    steps: int = 0
    frozen_at: dict[int, Place | None] = field(default_factory=dict)  # variable → the line that froze it
    elsewhere: Elsewhere | None = None  # weights that were loaded into a twin of its layers
    level: set[int] = field(default_factory=set)  # norms that scale every channel alike before the steps
    told: dict[str, Any] = field(default_factory=dict)  # optimizer, loss, schedules as they were at this fit
    clipped: list[float] = field(default_factory=list)  # times that gradients are longer before clipping
    further: int = 0  # epochs of the fits behind it under the same `compile`
    history: Any = None
    seconds: float = 0.0


class Phase:
    """Notes which layers act as in training, in a step and, once told so, in validation."""

    def __init__(self) -> None:
        self.name = "training"
        self.found: Look | None = None

    def __call__(self, layer: Any, named: dict[str, Any]) -> dict[str, Any]:
        """Returns the arguments of a layer's call as they are."""
        if self.found is not None:
            given = named.get("training")
            is_on = True if hasattr(given, "shape") else bool(given)
            if library.is_norm(layer):
                is_on = is_on and bool(layer.trainable)
            noted = self.found.acting[self.name]
            noted[id(layer)] = noted.get(id(layer), False) or is_on
        return named


def look(original: Any, call: Call, doors: Doors, phase: Phase) -> Look:
    """Runs two steps of a fit and one batch of its validation, and returns what they did.

    Args:
        original: the `fit` of Keras.
        call: the script's call of it.
        doors: where layers tell that they are called.
        phase: stands among `doors.acts`, and is told when validation begins.
    """
    started_s = time.monotonic()
    pulled = _pulled(call)
    if not getattr(call.model, "built", True) and pulled[0].first is not None:
        call.model(few(pulled[0].first, 2))
    found = Look(call, find(call.model, doors.scene), *pulled)
    found.trained = library.trainable(call.model)
    found.frozen_at = {
        id(one.variable): frozen_at(one.layer, doors.scene)
        for one in library.weights(call.model)
        if id(one.variable) not in found.trained
    }
    found.elsewhere = doors.hooks.attempt(elsewhere, call.model, doors.scene)
    found.level = doors.hooks.attempt(_level, call.model) or set()
    phase.found = found
    try:
        _step(original, call, found)
    finally:
        phase.found = None
    for part in (found.training, found.validation):
        if part is not None and part.first is not None:
            x = few(part.first, PROBED)
            part.probed = doors.hooks.attempt(probe, doors, call.model, find(call.model, doors.scene), x)
    found.base = find(call.model, doors.scene)  # a subclassed model has its layers from its first call on
    found.seconds = time.monotonic() - started_s
    return found


def as_long(history: Any, given: dict[str, Any]) -> Any:
    """Returns the history of a small fit with as many epochs as the script asked for, the last one repeated.

    Scripts go on from `history.epoch[-1] + 1`, and draw curves of so many points.
    """
    first, last = int(given.get("initial_epoch") or 0), int(given.get("epochs", 1))
    history.epoch = list(range(first, max(last, first + 1)))
    for values in history.history.values():
        values += values[-1:] * (len(history.epoch) - len(values))
    return history


def frozen_at(layer: Any, scene: Scene) -> Place | None:
    """Returns the line that wrote `trainable = False`, or that made the layer so."""
    written = scene.flags.of(layer)
    return written.place if written is not None and not written.value else scene.places.of(layer)


def _pulled(call: Call) -> tuple[Batches, Batches | None]:
    """Returns the first batches of both feeds; what a generator gave is put back before the rest."""
    training = _batches(call.training)
    given = call.given
    if training.feed.kind == "generator":
        given["x"] = _put_back(training.feed)
    validation = call.validation
    return training, None if validation is None else _batches(validation)


def _batches(feed: Feed) -> Batches:
    import numpy as np

    if feed.kind == "generator":
        return Batches(feed)
    if feed.kind == "arrays":
        (first, labels_first), labels = feeds.some(feed, 1)[0], arrays(feed.y)
        shape: list[Any] | None = list(np.asarray(labels).shape)
        return Batches(feed, first, labels_first, class_numbers(labels), shape)
    found = feeds.some(feed, BATCHES)
    numbers = [class_numbers(y) for _, y in found]
    known = [one for one in numbers if one is not None]
    labels = first_array(found[0][1])
    shape = [None, *labels.shape[1:]] if hasattr(labels, "shape") else None
    return Batches(feed, *found[0], np.concatenate(known) if known else None, shape)


def _put_back(feed: Feed) -> Any:
    def again() -> Any:
        yield from feed.x

    return again()


def _step(original: Any, call: Call, found: Look) -> None:
    model, kept = call.model, call.model.run_eagerly
    before = {id(one.variable): library.values(one.variable).copy() for one in library.variables(model)}
    if library.backend(library.of(model)) == "tensorflow":  # two steps need no graph; JAX is slower without
        model.run_eagerly = True
        if hasattr(model, "jit_compile"):
            model.jit_compile = False
    try:
        with hardly_scaled(model.optimizer), measured(library.optimizer_of(model)) as found.clipped:
            found.history = as_long(_fitted(original, call, found), call.given)
            found.steps = STEPS
            _measure(found, before)
            while library.trainable(model) and not _has_moved(found) and found.steps < PATIENCE:
                _fitted(original, call, found)  # it may add gradients up
                found.steps += STEPS
                _measure(found, before)
    finally:
        model.run_eagerly = kept
        _forget_functions(model)


def _level(model: Any) -> set[int]:
    scales = [(one, getattr(one, "gamma", None)) for one in library.layers(model)]
    return {id(one) for one, scale in scales
            if scale is not None and len({*library.values(scale).ravel().tolist()}) == 1}  # fmt: skip


def _has_moved(found: Look) -> bool:
    return any(found.moved.get(one) for one in library.trainable(found.call.model))


def _fitted(original: Any, call: Call, found: Look) -> Any:
    """Returns the history of a small fit; of one of its own batches where arrays will not do."""
    training, validation = found.training, found.validation
    is_whole = all(one is None or (one.first is not None and one.labels_first is not None)
                   for one in (training, validation))  # fmt: skip
    if is_whole and cutting.count(training.first) >= STEPS:
        held_out = None if validation is None else (validation.first, validation.labels_first)
        given = cutting.small(call.given, (training.first, training.labels_first), held_out)
        with contextlib.suppress(Exception):  # if the script itself is wrong, the next line says so
            return original(call.model, **given)
    return original(call.model, **cutting.plain(call.given))


def _measure(found: Look, before: dict[int, Any]) -> None:
    import numpy as np

    for one in library.variables(found.call.model):
        first = before.get(id(one.variable))
        if first is not None and np.issubdtype(first.dtype, np.floating):
            now = library.values(one.variable)
            found.moved[id(one.variable)] = float(np.linalg.norm((now - first).astype(np.float64)))
            found.norms[id(one.variable)] = float(np.linalg.norm(first.astype(np.float64)))


def _forget_functions(model: Any) -> None:
    for name in ("train_function", "test_function", "predict_function"):
        if hasattr(model, name):
            setattr(model, name, None)
