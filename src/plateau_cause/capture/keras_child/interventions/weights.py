"""Interventions on the numbers of the weights: what they start from, what pulls them, what cuts gradients."""

from __future__ import annotations

from plateau_cause.capture.keras_child import library
from plateau_cause.capture.keras_child.clipping import CLIPS
from plateau_cause.capture.keras_child.doors import Doors
from plateau_cause.capture.keras_child.elsewhere import elsewhere
from plateau_cause.capture.keras_child.interventions.base import Change, Fit, Phase
from plateau_cause.capture.keras_child.penalty import dropped
from plateau_cause.capture.keras_child.scene import Scene


class KeepLoaded(Change):
    """Starts from the weights that were loaded into a twin of the model."""

    compiles = False
    reaches_base = True

    def listen(self, doors: Doors, phase: Phase) -> None:
        """Keeps what knows of loaded weights."""
        self._scene: Scene = doors.scene

    def before(self, fit: Fit) -> None:
        """Copies the values, once: a later fit of the same model goes on from what was trained."""
        found = None if self.took else elsewhere(fit.model, self._scene)
        for loaded, own in [] if found is None else found[1]:
            own.variable.assign(library.values(loaded.variable))
            self.took = True
        self.words = None if self.took else "no weights were loaded into a twin of the model"


class NoDecay(Change):
    """Pulls no weight to zero."""

    def before(self, fit: Fit) -> None:
        """Sets the decay of the optimizer that is compiled."""
        self._is_meant = bool(library.config_of(library.optimizer_of(fit.model)).get("weight_decay"))
        if self._is_meant:
            fit.optimizer["weight_decay"] = 0.0

    def after(self, fit: Fit) -> None:
        """Reads the compiled optimizer again."""
        decay = library.config_of(library.optimizer_of(fit.model)).get("weight_decay")
        self.took = self.took or (self._is_meant and not decay)


class NoPenalty(Change):
    """Adds no penalty of the weights to the loss."""

    def before(self, fit: Fit) -> None:
        """Takes the regularizers of weights from their variables."""
        self.took = dropped(fit.model) > 0 or self.took


class NoClipping(Change):
    """Takes gradients as they are."""

    def before(self, fit: Fit) -> None:
        """Sets the limits of the optimizer that is compiled."""
        config = library.config_of(library.optimizer_of(fit.model))
        self._had = [name for name in CLIPS if config.get(name)]
        fit.optimizer |= dict.fromkeys(self._had)

    def after(self, fit: Fit) -> None:
        """Reads the compiled optimizer again."""
        held = library.optimizer_of(fit.model)
        left = [name for name in CLIPS if getattr(held, name, None)]
        self.took = self.took or (bool(self._had) and not left)
