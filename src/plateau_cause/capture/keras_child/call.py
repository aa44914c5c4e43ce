"""One call of `fit`, `evaluate` or `predict` by the script: which model, which arguments, which line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from plateau_cause.capture.child.places import Place
from plateau_cause.capture.keras_child.feeds import Feed, evaluation_feed, training_feed, validation_feed
from plateau_cause.capture.keras_child.scene import Compiled


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
