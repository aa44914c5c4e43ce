"""Penalties of weights (`kernel_regularizer`): how strong the strongest is, and how they are taken away."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.keras_child import library
from plateau_cause.capture.keras_child.library import Held
from plateau_cause.capture.keras_child.scene import Scene


def strongest(model: Any, trained: set[int], scene: Scene) -> dict[str, Any] | None:
    """Returns the strongest penalty of a matrix that trains; None where there is none.

    Returns:
        l1, l2 (factors of the sum of absolute values, and of squares), class and place of the layer.
    """
    held = [
        one for one in library.weights(model) if id(one.variable) in trained and len(one.variable.shape) > 1
    ]
    found = [(_factors(kind), one.layer) for one in held if (kind := _regularizer(one)) is not None]
    if not found:
        return None
    (l1, l2), layer = max(found, key=lambda one: sum(one[0]))
    return {"l1": l1, "l2": l2, "class": type(layer).__name__, "place": scene.places.of(layer)}


def dropped(model: Any) -> int:
    """Takes the penalties of all weights away; returns how many there were."""
    count = 0
    for one in library.weights(model):
        if _regularizer(one) is not None:
            count += 1
            if hasattr(one.variable, "regularizer"):
                one.variable.regularizer = None
            else:  # the legacy Keras adds them to the losses of the layer
                setattr(one.layer, _attribute(one), None)
                one.layer._callable_losses = []
    return count


def _regularizer(one: Held) -> Any:
    if hasattr(one.variable, "regularizer"):
        return one.variable.regularizer
    return getattr(one.layer, _attribute(one), None)


def _attribute(one: Held) -> str:
    return f"{one.way[-1]}_regularizer"


def _factors(regularizer: Any) -> tuple[float, float]:
    """Returns l1 and l2 of a regularizer of Keras; zeros of one of the script's own."""
    l1, l2 = (getattr(regularizer, name, None) for name in ("l1", "l2"))
    return (0.0 if l1 is None else float(l1)), (0.0 if l2 is None else float(l2))
