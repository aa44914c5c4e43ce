"""What every intervention is: a change at a call of `fit`, and how it is seen to have taken."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import Any

from plateau_cause.capture.child.places import Place
from plateau_cause.capture.keras_child import library
from plateau_cause.capture.keras_child.call import Call
from plateau_cause.capture.keras_child.describe.base import Base
from plateau_cause.capture.keras_child.doors import Doors
from plateau_cause.capture.keras_child.feeds import Feed


@dataclass
class Fit:
    """A fit that is about to begin.

    Attributes:
        call: the script's call.
        base: the pretrained part of its model, or None.
        given: the arguments of `fit`, to be changed.
        compiled: the arguments of `compile`, to be changed.
        optimizer: entries of the optimizer's configuration that are changed, `learning_rate` among them.
        number: counted from 0 by calls of `compile`, as a peek does.
        compiled_before: of each of these calls its line, and how often its model was compiled before; this
            one's is the last.
    """

    call: Call
    base: Base | None
    given: dict[str, Any]
    compiled: dict[str, Any]
    optimizer: dict[str, Any] = field(default_factory=dict)
    number: int = 0
    compiled_before: list[tuple[Place | None, int]] = field(default_factory=list)

    @property
    def model(self) -> Any:
        """Returns the model."""
        return self.call.model

    def compile(self) -> None:
        """Compiles the model again, under a new optimizer of the same kind."""
        held = library.optimizer_of(self.model)
        made = type(held).from_config({**library.config_of(held), **self.optimizer})
        arguments = {**self.compiled, "optimizer": made}
        _compile_of(self.model, arguments)(self.model, **arguments)

    def train_on(self, feed: Feed) -> None:
        """Has the fit read other images; what the feed leaves out stays as it was given."""
        told = {"x": feed.x, "y": feed.y, "sample_weight": feed.weight, "steps_per_epoch": feed.steps}
        self.given |= {key: value for key, value in told.items() if value is not None}

    def rate(self) -> float:
        """Returns the rate that acts now."""
        return float(library.values(library.optimizer_of(self.model).learning_rate))


def _compile_of(model: Any, arguments: dict[str, Any]) -> Any:
    """Returns the model's own `compile`, or that of Keras where a class takes other arguments for its own."""
    own = type(model).compile
    try:
        inspect.signature(own).bind(model, **arguments)
    except TypeError:
        return library.of(model).Model.compile
    return own


@dataclass
class Change:
    """An intervention; each kind says what it does at which moment.

    Attributes:
        name: of the intervention.
        settings: what the peek measured for it; `fit`: the only fit that is meant, of several.
        took: whether it was seen to have taken.
        words: why it did not, or what it did.
        found: what it chose itself, for the record.
    """

    name: str
    settings: dict[str, Any] = field(default_factory=dict)
    took: bool = False
    words: str | None = None
    found: dict[str, float] = field(default_factory=dict)
    compiles = True  # whether the model is compiled again, as what is changed asks for
    reaches_base = False  # whether it changes a network, whatever was computed by it before training
    unseals = False  # whether a fit that does not see what was changed since `compile` is compiled again

    def listen(self, doors: Doors, phase: Phase) -> None:
        """Puts its own ears in, before the script runs."""

    def means(self, fit: Fit) -> bool:
        """Returns whether it changes this fit: all of them, or the one that is meant and its like.

        Another fold compiles a model of its own on the same line, and for the same phase of it.
        """
        meant, compiled = self.settings.get("fit", fit.number), fit.compiled_before
        is_like = meant < fit.number and compiled[meant] == compiled[-1]
        return bool(meant == fit.number or is_like)

    def before(self, fit: Fit) -> None:
        """Changes the model, or the arguments of `compile` and `fit`, before the model is compiled again."""

    def after(self, fit: Fit) -> None:
        """Changes what was compiled, and reads whether everything took."""

    def ended(self, fit: Fit) -> None:
        """Reads after a fit whether it took."""

    def held_out(self, feed: Feed) -> Feed:
        """Returns the images that are judged, in place of those of the script."""
        return feed

    def labels(self, numbers: Any) -> Any:
        """Returns the labels (n,) that held-out images are judged by."""
        return numbers


class Phase:
    """Whether the model trains or is evaluated now, as every change can ask."""

    def __init__(self) -> None:
        self.is_training = False
