"""Features that a script computed before it trained a head on them: network and head seen as one model.

A script that calls `base.predict(images)` once and fits a small model on what it returns has frozen its
network by that: no flag says so. Here the fit reads the images again, through the network and into the head,
whose own layers are trained.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from plateau_cause.capture.child.places import Place, Registry
from plateau_cause.capture.keras_child import library
from plateau_cause.capture.keras_child.call import Call
from plateau_cause.capture.keras_child.describe.base import LEAST
from plateau_cause.capture.keras_child.nested import arrays
from plateau_cause.capture.keras_child.scene import Compiled, Scene, Written

SAVING = ("ModelCheckpoint", "BackupAndRestore")
KEPT = 4  # arrays of features whose images are held at once, one fold after the other
MOST = 4 * 2**30  # bytes of images that are kept; of more, features are what they look like


@dataclass
class Computed:
    """What a network returned before any training.

    Attributes:
        network: the model, or a layer of TensorFlow Hub.
        images: (k, …) that it was given.
        features: (n, …) that the script got; row i belongs to image i mod k (a peek reads one batch only).
        place: the line of the call.
    """

    network: Any
    images: Any
    features: Any
    place: Place | None


class Beforehand:
    """Remembers what networks computed, and leads fits on it back to the images."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.computed: list[Computed] = []
        self._wholes: Registry[dict[Any, Any]] = Registry()  # head → the models that it is a part of
        self._known: deque[tuple[Any, tuple[Computed, Any] | None]] = deque(maxlen=KEPT)  # features → images
        self._bytes = 0

    def keep(self, network: Any, images: Any, features: Any, place: Place | None) -> None:
        """Remembers a call of a network on images: arrays or tensors, what it returned likewise."""
        if not _is_network(network, self.scene) or not _is_plain(images) or not _is_plain(features):
            return
        images, features = arrays(images), arrays(features)
        self._bytes += images.nbytes
        if images.ndim == 4 and len(images) and self._bytes <= MOST:
            self.computed.append(Computed(network, images, features, place))

    @contextlib.contextmanager
    def seen_through(self, call: Call, names: tuple[str, ...]) -> Iterator[Call]:
        """Yields a call on features as a call of the whole model on images; any other as it is.

        Args:
            call: of `fit` or `evaluate`.
            names: the arguments that hold images: `x`, `validation_data`.
        """
        found = self._images(call, names) if self.computed and _is_common(call.model) else None
        if found is None:
            yield call
            return
        first, given = found
        _save(call.model, call.given.get("callbacks"))
        with self._frozen(first):
            whole = self._whole(call, first)
            yield replace(call, model=whole, given={**call.given, **given},
                          compiled=self.scene.compiled.of(whole))  # fmt: skip

    def _images(self, call: Call, names: tuple[str, ...]) -> tuple[Computed, dict[str, Any]] | None:
        """Returns what the features of a call were computed by, and the arguments with their images."""
        given: dict[str, Any] = {}
        first = None
        for name in names:
            value = call.given.get(name)
            if value is None:
                continue
            features, *labels = value if isinstance(value, (tuple, list)) else (value,)
            found = self._found_for(features) if _is_plain(features) else None
            if found is None or (first is not None and found[0].network is not first.network):
                return None  # of which a part is something else
            first = first or found[0]
            given[name] = (found[1], *labels) if labels else found[1]
        return None if first is None else (first, given)

    def _found_for(self, features: Any) -> tuple[Computed, Any] | None:
        """Returns what `_rows` does; the same features are the same images, which tell what is held out."""
        for kept, found in self._known:
            if kept is features:
                return found
        found = self._rows(features)
        self._known.append((features, found))
        return found

    def _rows(self, features: Any) -> tuple[Computed, Any] | None:
        """Returns the images that features were computed from, row by row; None where one is unknown."""
        import numpy as np

        size = prod(features.shape[1:])
        computed = [one for one in self.computed if prod(one.features.shape[1:]) == size]
        if not computed:  # before anything is copied: most fits are on images
            return None
        rows = _flat(features)
        for one in computed:
            if np.array_equal(_flat(one.features), rows):
                return one, one.images[np.arange(len(rows)) % len(one.images)]
        known = {row.tobytes(): (one, number) for one in computed
                 for number, row in enumerate(_flat(one.features))}  # fmt: skip
        found = [known.get(row.tobytes()) for row in rows]
        sources = [one for one in found if one is not None]
        if len(sources) < len(rows) or not sources:
            return None
        if len({id(one.network) for one, _ in sources} | {one.images.shape[1:] for one, _ in sources}) != 2:
            return None
        return sources[0][0], np.stack([one.images[number % len(one.images)] for one, number in sources])

    def _whole(self, call: Call, first: Computed) -> Any:
        """Returns network and head as one model, compiled as the head is."""
        head, features = call.model, call.given["x"]
        made = self._wholes.of(head)
        if made is None:
            made = {}
            self._wholes.remember(head, made)
        shape = tuple(features.shape[1:])
        if (id(first.network), shape) in made:
            return made[id(first.network), shape]
        keras = library.of(head)
        images = keras.Input(shape=first.images.shape[1:], dtype=str(first.images.dtype))
        found = first.network(images, training=False)
        if tuple(found.shape[1:]) != shape:
            found = keras.layers.Reshape(shape)(found)
        whole = keras.Model(images, head(found), name=f"{first.network.name}_and_{head.name}")
        arguments = {**call.compiled.arguments, "optimizer": head.optimizer} if call.compiled else {}
        keras.Model.compile(whole, **arguments)
        place = call.compiled.place if call.compiled else None
        self.scene.compiled.remember(whole, Compiled(place, arguments, self.scene.now()))
        self.scene.places.remember(whole, self.scene.places.of(head))
        self.scene.wholes.remember(whole, first)
        made[id(first.network), shape] = whole
        return whole

    @contextlib.contextmanager
    def _frozen(self, first: Computed) -> Iterator[None]:
        """Has a network stand still as in its call before training, which is named as what froze it."""
        layers = [first.network, *library.layers(first.network)]
        kept = [(one, one.trainable, self.scene.flags.of(one)) for one in layers]
        first.network.trainable = False
        written = Written(first.place, self.scene.now(), False)
        for one in layers:
            self.scene.flags.remember(one, written)
        try:
            yield
        finally:
            for one, was_trainable, flag in kept:
                one.trainable = was_trainable
                self.scene.flags.remember(one, flag)


def _save(head: Any, callbacks: Any) -> None:
    """Has callbacks that write a model write the head, which is what the script reads again."""
    for one in callbacks if isinstance(callbacks, (list, tuple)) else [callbacks]:
        if type(one).__name__ in SAVING:
            one.set_model(head)
            one.set_model = lambda _: None


def _is_network(model: Any, scene: Scene) -> bool:
    """Returns whether a model is large enough to compute features."""
    inside = library.layers(model)
    return scene.networks.of(model) is not None or (len(inside) >= LEAST and bool(library.weights(model)))


def _is_common(head: Any) -> bool:
    """Returns whether a model is trained as Keras trains, not by a step of its own."""
    common = library.of(head).Model
    return library.is_model(head) and type(head).train_step is common.train_step


def _is_plain(value: Any) -> bool:
    """Returns whether this is one array or tensor with values."""
    return hasattr(value, "shape") and hasattr(value, "dtype") and not library.is_symbolic(value)


def _flat(features: Any) -> Any:
    """Returns features as (n, m) float32, which scripts copy into arrays of more digits."""
    import numpy as np

    found = np.asarray(arrays(features), np.float32)
    return np.ascontiguousarray(found.reshape(len(found), -1))
