"""The doors of Keras: what makes models, calls layers, reads images; each tells the scene what it saw."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType, ModuleType
from typing import Any

from plateau_cause.capture.child.doors.hooks import Hooks
from plateau_cause.capture.child.places import GENERATED, OWN, frame_here_from, here, is_users, place_of
from plateau_cause.capture.keras_child import library
from plateau_cause.capture.keras_child.around import around, bound, everywhere
from plateau_cause.capture.keras_child.describe import known
from plateau_cause.capture.keras_child.loading import Loading
from plateau_cause.capture.keras_child.scene import Built, Called, Scene, Written


class Doors:
    """Puts the listeners in; what they hear stands in `scene`.

    `taps` are asked at every call of a layer, with the layer, its arguments and those by name; each returns
    the arguments, changed or not. `ears` hear the layer, its arguments and what it returned. `acts` are asked
    when a batch norm, a dropout or a random change of images acts, with the layer and its arguments by name,
    `training` among them; each returns these.
    """

    def __init__(self, hooks: Hooks, scene: Scene) -> None:
        self.hooks, self.scene = hooks, scene
        self.taps: list[Callable[..., tuple[tuple[Any, ...], dict[str, Any]]]] = []
        self.ears: list[Callable[[Any, tuple[Any, ...], Any], None]] = []
        self.acts: list[Callable[[Any, dict[str, Any]], dict[str, Any]]] = []
        self._chance: tuple[type, ...] = ()  # layers that change images at random

    def install(self, keras: ModuleType) -> None:
        """Puts the listeners into one Keras, which has just been imported."""
        package = "tf_keras" if keras.__name__.startswith("tf_keras") else "keras"
        self._install_making(keras)
        self._install_flags(keras)
        around(keras.layers.Layer, "__call__", self._call)
        for name in ("BatchNormalization", *library.DROPOUTS):
            around(getattr(keras.layers, name, None), "call", self._acts)
        chances = [
            one for one in vars(keras.layers).values() if getattr(one, "__name__", "").startswith("Random")
        ]
        self._chance += tuple(chances)
        for cls in {known.owner(one, "call") for one in chances}:  # which several of them may share
            around(cls, "call", self._acts_by_chance)
        Loading(self.hooks, self.scene).install(keras)
        everywhere({name: self._network(name) for name in known.APPLICATIONS}, (package,))
        everywhere(dict.fromkeys(known.READERS, self._reader), (package,))
        everywhere({"preprocess_input": self._preprocess}, (package,))
        self._install_generators(keras)

    def install_data(self, tensorflow: ModuleType) -> None:
        """Puts the listeners on tf.data, tapes and strategies in; `tensorflow` has just been imported."""
        data_set = tensorflow.data.Dataset
        self.hooks.after(data_set, "__init__", self._made_data)
        for name in known.DATA_STEPS:
            around(data_set, name, self._step(name))
        self.hooks.after(tensorflow.GradientTape, "gradient", self._asked_tape)
        for name in known.SEVERAL_HOSTS:
            strategy = getattr(tensorflow.distribute, name, None)
            if strategy is not None:
                self.hooks.before(strategy, "__init__", self._several(name))

    def install_hub(self, hub: ModuleType) -> None:
        """Puts the listener on `hub.KerasLayer` in; `tensorflow_hub` has just been imported."""
        around(hub.KerasLayer, "__init__", self._hub)

    def _install_making(self, keras: ModuleType) -> None:
        makers = [keras.layers.Layer, keras.optimizers.Optimizer, keras.losses.Loss, keras.callbacks.Callback]
        legacy = getattr(keras.optimizers, "legacy", None)
        makers += [legacy.Optimizer] if legacy is not None and hasattr(legacy, "Optimizer") else []
        schedules = vars(keras.optimizers.schedules).values()
        makers += [one for one in schedules if isinstance(one, type)]
        sequence = getattr(keras.utils, "PyDataset", None) or keras.utils.Sequence
        owners = {known.owner(maker): None for maker in [*makers, sequence]}
        for owner in owners:
            if owner is not object:
                around(owner, "__init__", self._make)

    def _install_flags(self, keras: ModuleType) -> None:
        kinds = [one for one in vars(keras.layers).values() if isinstance(one, type)]
        owners = dict.fromkeys(owner for one in (*kinds, keras.Model) for owner in one.__mro__)
        for owner in owners:  # a batch norm may have a property of its own
            old = vars(owner).get("trainable")
            if isinstance(old, property) and old.fset is not None:
                owner.trainable = property(old.fget, self._setter(old.fset), old.fdel, old.__doc__)

    def _setter(self, write: Any) -> Callable[[Any, Any], None]:
        def written(layer: Any, value: Any) -> None:
            self.hooks.hear(self._flagged, layer, value)
            write(layer, value)

        return written

    def _flagged(self, layer: Any, value: Any) -> None:
        place = here(layer)
        if place is not None:
            written = Written(place, self.scene.now(), bool(value))
            for one in (layer, *library.layers(layer)):
                self.scene.flags.remember(one, written)

    def _install_generators(self, keras: ModuleType) -> None:
        generator = known.generator(keras)
        if generator is not None:
            around(generator, "__init__", self._generator_made)
            for name in known.FLOWS:
                around(generator, name, self._reader)

    def _make(self, original: Any, built: Any, *arguments: Any, **named: Any) -> None:
        original(built, *arguments, **named)
        self.hooks.hear(self._made, built)

    def _made(self, built: Any) -> None:
        place = here(built)
        if place is not None:
            self.scene.places.remember(built, place)

    def _made_data(self, _: Any, built: Any, *__: Any, **___: Any) -> None:
        self.scene.places.remember(built, here(built))

    def _asked_tape(self, *_: Any, **__: Any) -> None:
        """Notes a gradient that the script's own code asks for; Keras' own are none of its loop."""
        if self.scene.tape is None:
            frame: FrameType | None = sys._getframe(1)
            while frame is not None and _hands_on(frame.f_code.co_filename):
                frame = frame.f_back
            is_generated = frame is not None and GENERATED in frame.f_code.co_filename
            frame = frame_here_from(frame) if is_generated else frame  # a graph drawn by AutoGraph
            if frame is not None and is_users(frame.f_code.co_filename):
                self.scene.tape = place_of(frame)
                if not self.scene.is_training:
                    self.scene.when_by_hand()

    def _several(self, name: str) -> Callable[..., None]:
        def made(*_: Any, **__: Any) -> None:
            self.scene.refused = (
                f"tf.distribute.{name} trains on several hosts or a TPU, which cannot be replayed here; "
                "run the script on one machine without the strategy"
            )

        return made

    def _network(self, name: str) -> Any:
        def made(original: Any, *arguments: Any, **named: Any) -> Any:
            model = original(*arguments, **named)
            self.hooks.hear(self._remember, self.scene.networks, model, name, original, arguments, named)
            return model

        return made

    def _remember(
        self, registry: Any, made: Any, name: str, original: Any, arguments: Any, named: Any
    ) -> None:
        place = here()
        if place is None or registry.of(made) is not None:
            return
        registry.remember(made, Built(name, bound(original, arguments, named), place))
        if self.scene.places.of(made) is None:
            self.scene.places.remember(made, place)

    def _reader(self, original: Any, *arguments: Any, **named: Any) -> Any:
        made = original(*arguments, **named)
        parts = made if isinstance(made, (tuple, list)) else [made]  # with subset="both" one of each
        for one, subset in zip(parts, ("training", "validation"), strict=False):
            told = {**named, "subset": subset} if named.get("subset") == "both" else named
            about = (self.scene.readers, one, original.__name__, original, arguments, told)
            self.hooks.hear(self._remember, *about)
        return made

    def _generator_made(self, original: Any, *arguments: Any, **named: Any) -> None:
        original(*arguments, **named)
        self.hooks.hear(self._keep_generator, original, arguments, named)

    def _keep_generator(self, original: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        given = bound(original, arguments, named)
        made = given.pop("self")
        self.scene.readers.remember(made, Built("ImageDataGenerator", given, here(made)))

    def _step(self, name: str) -> Any:
        def stepped(original: Any, *arguments: Any, **named: Any) -> Any:
            made = original(*arguments, **named)
            self.hooks.hear(self._remember_step, made, name, original, arguments, named)
            return made

        return stepped

    def _remember_step(self, made: Any, name: str, original: Any, arguments: Any, named: Any) -> None:
        if self.scene.steps.of(made) is None:
            self.scene.steps.remember(made, Built(name, bound(original, arguments, named), here()))

    def _preprocess(self, original: Any, *arguments: Any, **named: Any) -> Any:
        self.hooks.hear(self._preprocesses, original)
        return original(*arguments, **named)

    def _preprocesses(self, original: Any) -> None:
        name = original.__module__.rpartition(".")[2]
        found = Built(name, {}, here())
        is_own = not self.scene.is_training or found.place != self.scene.training_at  # else Keras calls it
        is_new = name != "imagenet_utils" and is_own  # which the others call
        if is_new and found not in self.scene.preprocessed and len(self.scene.preprocessed) < 16:
            self.scene.preprocessed.append(found)

    def _hub(self, original: Any, layer: Any, handle: Any, *arguments: Any, **named: Any) -> None:
        original(layer, handle, *arguments, **named)
        given = {"handle": handle if isinstance(handle, str) else None,
                 "trainable": (named.get("trainable", arguments[0] if arguments else False))}  # fmt: skip
        self.hooks.hear(self.scene.networks.remember, layer, Built("hub.KerasLayer", given, here(layer)))

    def _call(self, original: Any, layer: Any, *arguments: Any, **named: Any) -> Any:
        self.hooks.hear(self._called, layer, named)
        for tap in self.taps:
            arguments, named = tap(layer, arguments, named)
        found = original(layer, *arguments, **named)
        for ear in self.ears:
            ear(layer, arguments, found)
        return found

    def _called(self, layer: Any, named: dict[str, Any]) -> None:
        if library.is_model(layer) or named.get("training") is not None or self.scene.networks.of(layer):
            kept, place, given = self.scene.calls.of(layer), here(), named.get("training")
            is_told = kept is not None and kept.training is None and given is not None
            if place is None:
                return
            if kept is None or (is_told and place != kept.place and not self.scene.is_training):
                self.scene.calls.remember(layer, Called(place, given))
            elif place == kept.place and kept.training not in (None, given):
                # An argument of the script's own `call`: it says nothing itself
                self.scene.calls.remember(layer, Called(kept.place, None))

    def _acts_by_chance(self, original: Any, layer: Any, *arguments: Any, **named: Any) -> Any:
        if isinstance(layer, self._chance):
            return self._acts(original, layer, *arguments, **named)
        return original(layer, *arguments, **named)

    def _acts(self, original: Any, layer: Any, *arguments: Any, **named: Any) -> Any:
        for act in self.acts:
            named = act(layer, named)
        return original(layer, *arguments, **named)


def _hands_on(file: str) -> bool:
    """Returns whether a file only hands calls on: plateau's own, and AutoGraph's around what it draws."""
    return file.startswith(OWN) or ("/autograph/" in file and GENERATED not in file)
