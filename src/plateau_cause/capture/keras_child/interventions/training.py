"""Interventions on how a fit trains: rate, schedule, loss, epochs, weights of classes, compiling again."""

from __future__ import annotations

import math

from plateau_cause.capture.keras_child import feeds, library
from plateau_cause.capture.keras_child.describe.training import activation, given_callbacks, loss_of, watched
from plateau_cause.capture.keras_child.feeds import training_feed
from plateau_cause.capture.keras_child.interventions.base import Change, Fit
from plateau_cause.capture.keras_child.nested import class_numbers
from plateau_cause.capture.keras_child.range_test import best_rate, set_rate
from plateau_cause.capture.keras_child.thawing import of_pretrained

LOWER, HIGHER = (0.1, 0.01, 0.001), (10.0, 100.0, 1000.0)
RATE_CALLBACKS = ("LearningRateScheduler", "ReduceLROnPlateau")
LOSSES = {"sparse_categorical_crossentropy": "SparseCategoricalCrossentropy",
          "categorical_crossentropy": "CategoricalCrossentropy",
          "binary_crossentropy": "BinaryCrossentropy",
          "categorical_focal_crossentropy": "CategoricalFocalCrossentropy",
          "binary_focal_crossentropy": "BinaryFocalCrossentropy"}  # fmt: skip


class Rate(Change):
    """Multiplies the rate.

    Settings: `times`, or `direction` (lower or higher), where a short test finds the power of ten.
    """

    def after(self, fit: Fit) -> None:
        """Sets the rate of the compiled optimizer."""
        before, times = fit.rate(), self.settings.get("times")
        if times is None:
            times = best_rate(fit, LOWER if self.settings.get("direction") == "lower" else HIGHER)
        now = set_rate(fit, float(times))
        self.took = math.isclose(now, before * float(times), rel_tol=1e-3)
        self.words, self.found = f"rate {before:.2g} → {now:.2g}", {"times": float(times)}


class Schedule(Change):
    """Keeps the rate as it is at the first step: no schedule, no callback that changes it."""

    def before(self, fit: Fit) -> None:
        """Leaves the callbacks out, and has the first rate compiled for good."""
        listed = given_callbacks(fit.given)
        fit.given["callbacks"] = [one for one in listed if type(one).__name__ not in RATE_CALLBACKS]
        schedule = library.schedule_of(library.optimizer_of(fit.model))
        if schedule is not None:
            fit.optimizer["learning_rate"] = float(library.values(schedule(0)))
        self._is_meant = schedule is not None or len(fit.given["callbacks"]) < len(listed)

    def after(self, fit: Fit) -> None:
        """Reads whether the compiled optimizer has a schedule."""
        self.took = self.took or (
            self._is_meant and library.schedule_of(library.optimizer_of(fit.model)) is None
        )
        self.words = None if self.took else "there was no schedule"


class RateFull(Schedule):
    """Trains at the highest rate of a schedule from the first step on. Settings: `rate`."""

    def before(self, fit: Fit) -> None:
        """Leaves the callbacks out, and has that rate compiled for good."""
        super().before(fit)
        fit.optimizer["learning_rate"] = float(self.settings["rate"])


class LogitsToLoss(Change):
    """Gives the loss what it expects.

    Settings: `from_logits`, as the loss should have it; `is_linear`: the last activation is left out as well,
    because no loss can learn through it. Or `activation`: the last one alone is changed, for a loss of the
    script's own.
    """

    def before(self, fit: Fit) -> None:
        """Changes the last activation, and the loss that is compiled."""
        keras, wanted = library.of(fit.model), self.settings.get("activation")
        if wanted or self.settings.get("is_linear"):
            layers = reversed(library.layers(fit.model))
            last = next(one for one in layers if getattr(one, "activation", None) is not None)
            last.activation = keras.activations.get(wanted or "linear")
        if wanted:
            return
        name, _, held = loss_of(fit.model)
        made = getattr(keras.losses, LOSSES.get(str(name)) or self.settings["loss"])
        config = held.get_config() if hasattr(held, "get_config") and type(held) is made else {}
        told = {"from_logits": bool(self.settings["from_logits"])}
        fit.compiled["loss"] = made.from_config({**config, **told}) if config else made(**told)

    def after(self, fit: Fit) -> None:
        """Reads the compiled loss and the last activation again."""
        if wanted := self.settings.get("activation"):
            self.took = activation(fit.model) == wanted
            return
        told = bool(loss_of(fit.model)[1].get("from_logits"))
        is_probability = activation(fit.model) in ("softmax", "sigmoid")
        self.took = told == bool(self.settings["from_logits"]) and not (told and is_probability)
        self.words = None if self.took else "the compiled loss is not the one that was asked for"


class TrainingLength(Change):
    """Trains several times as many epochs. Settings: `times`."""

    def before(self, fit: Fit) -> None:
        """Changes `epochs`."""
        first, last = int(fit.given.get("initial_epoch", 0)), int(fit.given.get("epochs", 1))
        fit.given["epochs"] = first + round((last - first) * float(self.settings.get("times", 2)))
        self.took = fit.given["epochs"] > last
        self.words = f"{fit.given['epochs'] - first} epochs in place of {last - first}"


class WholePasses(Change):
    """Has every epoch take all batches. Settings: `steps`, how many these are."""

    def before(self, fit: Fit) -> None:
        """Changes `steps_per_epoch`."""
        given, wanted = fit.given.get("steps_per_epoch"), int(self.settings["steps"])
        fit.given["steps_per_epoch"] = wanted
        self.took = given is not None and given < wanted
        self.words = f"{wanted} steps in place of {given}"


class NoEarlyStop(Change):
    """Trains to the last epoch, whatever `EarlyStopping` waits for. Settings: `epochs`, at most so many."""

    compiles = False

    def before(self, fit: Fit) -> None:
        """Leaves the callback out."""
        listed = given_callbacks(fit.given)
        kept = [one for one in listed if type(one).__name__ != "EarlyStopping"]
        if len(kept) == len(listed):
            return
        first, last = int(fit.given.get("initial_epoch") or 0), int(fit.given.get("epochs", 1))
        most = int(self.settings.get("epochs") or last - first)
        fit.given |= {"callbacks": kept, "epochs": min(last, first + most)}
        self.took, self.words = True, f"{fit.given['epochs'] - first} epochs, all of them"


class CallbackTurned(Change):
    """Has callbacks wait for a metric to move the other way. Settings: `monitor`, `mode` (min or max)."""

    compiles = False

    def before(self, fit: Fit) -> None:
        """Turns the mode of those that wait for this metric."""
        import numpy as np

        rises = self.settings["mode"] == "max"
        for one in given_callbacks(fit.given):
            if watched(one).get("monitor") != self.settings["monitor"]:
                continue
            one.mode, self.took = self.settings["mode"], True
            if getattr(one, "monitor_op", None) is not None:
                one.monitor_op = np.greater if rises else np.less
            if hasattr(one, "min_delta"):
                one.min_delta = abs(one.min_delta) * (1 if rises else -1)
            if getattr(one, "best", None) is not None:
                one.best = -np.inf if rises else np.inf


class ClassWeight(Change):
    """Weighs each class by its rarity."""

    def before(self, fit: Fit) -> None:
        """Sets `class_weight` from the labels of training."""
        import numpy as np

        labels = [class_numbers(y) for _, y in feeds.batches(training_feed(fit.given))]
        known = [one for one in labels if one is not None]
        is_given = fit.given.get("class_weight") and not self.settings.get("instead")
        if not known or is_given:
            self.words = "the labels could not be counted" if not known else "class_weight was given already"
            return
        names, counts = np.unique(np.concatenate(known), return_counts=True)
        weights = counts.sum() / len(counts) / counts
        fit.given["class_weight"] = {int(name): float(one) for name, one in zip(names, weights, strict=True)}
        self.took = True


class CompileAgain(Change):
    """Compiles before a fit that does not see what was changed since `compile`."""

    unseals = True

    def after(self, fit: Fit) -> None:
        """Notes whether the fit was such a one: the model has been compiled again by now."""
        if fit.call.is_stale:
            self.took = True
            before = fit.call.compiled.trainable if fit.call.compiled else None
            if len(library.trainable(fit.model)) > len(before or ()):  # layers thaw
                set_rate(fit, of_pretrained(fit.rate()) / fit.rate())
        self.words = None if self.took else "no fit followed a change of trainable"
