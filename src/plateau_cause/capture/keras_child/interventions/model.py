"""Interventions on what trains: layers, batch norms, the range of images at the base."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.keras_child import library
from plateau_cause.capture.keras_child.describe import expects
from plateau_cause.capture.keras_child.describe.base import blocks
from plateau_cause.capture.keras_child.doors import Doors
from plateau_cause.capture.keras_child.interventions.base import Change, Fit, Phase
from plateau_cause.capture.keras_child.range_test import best_rate, set_rate

SLOWER = (1.0, 0.1, 0.01, 0.001)  # times the script's rate, for layers that are trained as well now


class Unfreeze(Change):
    """Trains all layers, or those of the base's last block, under the rate of a short test that serves best.

    Frozen batch norms stay so: their running statistics would follow the new images too slowly for the few
    steps of a fine-tuning (with a momentum of 0.999 half way after 700), and spoil what is evaluated.

    Settings: `part` (all or last_block).
    """

    reaches_base = True
    unseals = True

    def before(self, fit: Fit) -> None:
        """Sets `trainable`, and has the model compiled again."""
        compiled, chosen = fit.call.compiled, fit.base.layers if fit.base else library.layers(fit.model)
        sealed = compiled.trainable if fit.call.is_stale and compiled else None
        self._had = len(library.trainable(fit.model) if sealed is None else sealed)
        still = [one for one in library.layers(fit.model) if library.is_norm(one) and not one.trainable]
        fit.model.trainable = True
        for layer in chosen:
            layer.trainable = True
        for layer in still:
            layer.trainable = False
        if self.settings.get("part") == "last_block" and fit.base is not None:
            kept = {id(one) for one in blocks(fit.base)}
            for layer in chosen:
                if not library.sublayers(layer) and id(layer) not in kept:
                    layer.trainable = False

    def after(self, fit: Fit) -> None:
        """Counts what trains now, and finds its rate."""
        held, trained = library.weights(fit.model), library.trainable(fit.model)
        if len(trained) <= self._had:
            self.words = "no layer could be unfrozen: all train, or a SavedModel without trainable weights"
            return
        self.took, times = True, best_rate(fit, SLOWER)
        rate = set_rate(fit, times)
        self.words = f"{len(trained)} of {len(held)} variables train, at a rate of {rate:.2g}"
        if any(library.is_norm(one) and not one.trainable for one in library.layers(fit.model)):
            self.words += "; batch norms stay frozen"


class BatchNorm(Change):
    """Has the batch norms of the base use their running statistics, or those of each batch.

    Settings: `mode` (inference or train).
    """

    reaches_base = True

    def listen(self, doors: Doors, phase: Phase) -> None:
        """Sets `training` at each call of a batch norm of the base while the model trains."""
        self._chosen: set[int] = set()
        self._seen: set[int] = set()
        is_on = self.settings.get("mode") == "train"

        def act(layer: Any, named: dict[str, Any]) -> dict[str, Any]:
            if id(layer) not in self._chosen or not phase.is_training:
                return named
            self._seen.add(id(layer))
            return {**named, "training": is_on}

        doors.acts.append(act)

    def before(self, fit: Fit) -> None:
        """Chooses the batch norms."""
        layers = fit.base.layers if fit.base else library.layers(fit.model)
        self._chosen |= {id(one) for one in layers if library.is_norm(one)}

    def ended(self, fit: Fit) -> None:
        """Counts those that were called so."""
        self.took = bool(self._chosen) and self._chosen <= self._seen
        if not self.took:
            self.words = f"{len(self._seen)} of {len(self._chosen)} batch norms were called"


class NormMomentum(Change):
    """Has the running statistics of batch norms follow within a few steps; settings: `momentum`."""

    reaches_base = True

    def before(self, fit: Fit) -> None:
        """Lowers the momentum, which Keras reads when it traces a fit."""
        most = self.settings["momentum"]
        slow = [one for one in library.layers(fit.model) if library.is_norm(one) and one.momentum > most]
        for one in slow:
            one.momentum = most
        self.took = self.took or bool(slow)


class EvaluationMode(Change):
    """Has batch norms use their running statistics, and dropouts drop nothing, while the model is judged."""

    def listen(self, doors: Doors, phase: Phase) -> None:
        """Sets `training` at each call of such a layer outside training."""

        def act(layer: Any, named: dict[str, Any]) -> dict[str, Any]:
            if phase.is_training or not (library.is_norm(layer) or library.is_dropout(layer)):
                return named
            self.took = self.took or bool(named.get("training"))
            return {**named, "training": False}

        doors.acts.append(act)

    def ended(self, fit: Fit) -> None:
        """Says where no such layer acted as in training."""
        self.words = None if self.took else "no layer acted as in training while the model was judged"


class Preprocessing(Change):
    """Gives the base images in the range that its weights expect, in training and evaluation alike.

    Settings: `given` and `wanted`, both named in `expects.SAID`, or in the place of `given` the `least` and
    `most` of the values; `only_evaluation` maps validation alone.
    """

    reaches_base = True

    def listen(self, doors: Doors, phase: Phase) -> None:
        """Maps what reaches the base."""
        self._entry: set[int] = set()
        self._ranges: list[tuple[float, float]] = []
        self._calls = 0
        told = self.settings
        change = (
            expects.change(told["given"], told["wanted"])
            if told.get("given")
            else expects.stretched(told["least"], told["most"], told["wanted"])
        )
        only_evaluation = bool(self.settings.get("only_evaluation"))

        def tap(layer: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
            is_meant = not (only_evaluation and phase.is_training)
            if id(layer) not in self._entry or not arguments or not is_meant:
                return arguments, named
            if type(arguments[0]).__name__ == "KerasTensor":
                return arguments, named
            self._calls += 1
            mapped = _mapped(layer, arguments[0], *change)
            if not library.is_symbolic(mapped):
                found = library.values(mapped)
                self._ranges.append((float(found.min()), float(found.max())))
            return (mapped, *arguments[1:]), named

        doors.taps.append(tap)

    def before(self, fit: Fit) -> None:
        """Chooses the layers that images enter the base through."""
        self._entry |= {id(one) for one in (fit.base.entry if fit.base else [fit.model])}

    def after(self, fit: Fit) -> None:
        """Forgets what was traced before."""
        self._calls = 0

    def ended(self, fit: Fit) -> None:
        """Reads whether images passed the map."""
        self.took = self._calls > 0
        if not self.took:
            self.words = "no image passed the base in a way that could be mapped"


def _mapped(layer: Any, x: Any, scale: list[float], offset: list[float], flips: bool) -> Any:
    import numpy as np

    keras = library.of(layer)
    factors = np.asarray(scale, np.float32), np.asarray(offset, np.float32)
    if library.is_legacy(keras):
        import tensorflow

        numbers = tensorflow.cast(x, tensorflow.float32)
        return (numbers[..., ::-1] if flips else numbers) * factors[0] + factors[1]
    numbers = keras.ops.cast(x, "float32")
    numbers = keras.ops.flip(numbers, axis=-1) if flips else numbers
    scales, offsets = (keras.ops.convert_to_tensor(one) for one in factors)
    return numbers * scales + offsets


class NoDropout(Change):
    """Drops nothing while the model trains."""

    def before(self, fit: Fit) -> None:
        """Sets the rate of every layer that drops."""
        for layer in library.layers(fit.model):
            if library.is_dropout(layer) and hasattr(layer, "rate"):
                layer.rate = 0.0
                self.took = True
