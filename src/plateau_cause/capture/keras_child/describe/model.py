"""The part of the peek about the model: what trains, what is frozen and where, what was loaded."""

from __future__ import annotations

from collections import Counter
from typing import Any

from plateau_cause.capture.child.places import Place
from plateau_cause.capture.keras_child import library, penalty
from plateau_cause.capture.keras_child.describe import expects
from plateau_cause.capture.keras_child.describe.base import Base
from plateau_cause.capture.keras_child.describe.training import activation
from plateau_cause.capture.keras_child.describe.wording import said
from plateau_cause.capture.keras_child.elsewhere import Pairs
from plateau_cause.capture.keras_child.library import Held
from plateau_cause.capture.keras_child.loading import Loaded
from plateau_cause.capture.keras_child.looking import Look
from plateau_cause.capture.keras_child.scene import Scene

HEADS = ("Dense", "Conv2D")


def describe_model(looks: list[Look], scene: Scene) -> dict[str, Any]:
    """Returns the model of the first fit as JSON; see docs/keras.md for every field."""
    first = looks[0]
    model, base = first.call.model, first.base
    held = library.weights(model)
    kind = type(model).__name__
    parts: list[dict[str, Any]] = [
        {"name": first.call.model_name, "class": kind, "within": [], "place": scene.places.of(model)}
    ]
    return {
        "parts": parts,
        "numbers": sum(library.size(one.variable) for one in held),
        "head": _head(model, base, scene),
        **_what_moves(looks, held),
        "strangers": {"parameters": 0, "shapes": [], "have_gradients": False},
        "weights": [_loaded(one) for one in scene.loaded if _is_within(one.model, model)],
        "weights_elsewhere": None if first.elsewhere is None else _elsewhere(*first.elsewhere, scene),
        "penalty": penalty.strongest(model, first.trained, scene),
        "dropout": _dropout(model, scene),
        "dropout_in_evaluation": [],
        "base": None if base is None else describe_base(first, base, held),
    }


def _head(model: Any, base: Base | None, scene: Scene) -> dict[str, Any] | None:
    own = set() if base is None else {id(one) for one in base.layers}
    found = [(way, layer) for way, layer in library.walk(model)
             if type(layer).__name__ in HEADS and id(layer) not in own]  # fmt: skip
    if not found:
        return None
    way, layer = found[-1]
    outputs = int(getattr(layer, "units", getattr(layer, "filters", 0)))
    return {"name": "/".join(way), "outputs": outputs, "place": scene.places.of(layer),
            "activation": activation(model)}  # fmt: skip


def _dropout(model: Any, scene: Scene) -> dict[str, Any] | None:
    """Returns the layer that drops most: its share and where it was made; None where there is none."""
    layers = [one for one in library.layers(model) if library.is_dropout(one) and hasattr(one, "rate")]
    most = max(layers, key=lambda one: float(one.rate), default=None)
    return None if most is None else {"p": float(most.rate), "place": scene.places.of(most)}


def _what_moves(looks: list[Look], held: list[Held]) -> dict[str, Any]:
    first, later_ids = looks[0], {one for look in looks[1:] for one in look.trained}
    frozen = [one for one in held if id(one.variable) not in first.trained]
    later = [one for one in frozen if id(one.variable) in later_ids]
    never = [one for one in frozen if id(one.variable) not in later_ids]
    live = [one for one in held if id(one.variable) in first.trained]
    still = [one for one in live if first.moved.get(id(one.variable)) == 0]
    return {
        "trains": said(live, held),
        # A later fit's line, where that is of the same model: folds build a new one each
        "frozen": said(never, held) | {"place": _most_common(looks[-1], never) or _most_common(first, never)},
        "unfrozen_later": said(later, held) | {"place": _most_common(first, later)},
        "not_held": said([], held), "without_gradient": said([], held), "zero_gradient": said(still, held),
        "still": said(still, held),
        "change_per_step": change_per_step(first),
        "largest_change_per_step": max(changes(first), default=None),
    }  # fmt: skip


def _most_common(look: Look, frozen: list[Held]) -> Place | None:
    """Returns the line that froze most of these variables before a fit."""
    counted = Counter(place for one in frozen if (place := look.frozen_at.get(id(one.variable))) is not None)
    return counted.most_common(1)[0][0] if counted else None


def change_per_step(look: Look) -> float | None:
    """Returns the median over weight matrices of what one step of a fit changes, as a part of their norm."""
    ratios = changes(look)
    return ratios[len(ratios) // 2] if ratios else None


def changes(look: Look) -> list[float]:
    """Returns of each weight matrix what one step changes, as a part of its norm, the least first."""
    live = [one for one in library.weights(look.call.model) if id(one.variable) in look.trained]
    return sorted(
        look.moved[id(one.variable)] / look.steps / look.norms[id(one.variable)]
        for one in live
        if look.steps
        and look.norms.get(id(one.variable))
        and look.moved[id(one.variable)]
        and len(one.variable.shape) > 1
    )


def _among_frozen(look: Look, layers: list[Any], acting: dict[int, bool]) -> int:
    """Returns how many batch norms act behind layers that are frozen; 0 where most of those do not.

    Where only the last layers train, the first norm of these stands behind the last that is frozen.
    """
    behind, is_frozen = list[bool](), False
    for layer in layers:
        own = list(getattr(layer, "weights", None) or [])
        if library.is_norm(layer) and is_frozen:
            behind.append(acting.get(id(layer), False))
        elif own and not library.is_norm(layer) and not library.layers(layer):
            is_frozen = all(id(one) not in look.trained for one in own)
    return sum(behind) if 2 * sum(behind) > len(behind) else 0


def _loaded(one: Any) -> dict[str, Any]:
    return {"place": one.place, "into": str(one.model.name), "given": one.file, "matched": one.matched,
            "tensors": one.tensors, "is_late": one.is_late}  # fmt: skip


def _elsewhere(loaded: Loaded, pairs: Pairs, scene: Scene) -> dict[str, Any]:
    """Returns what was loaded, and the line that made the layers without it."""
    places = Counter(place for _, one in pairs if (place := scene.places.of(one.layer)) is not None)
    common = places.most_common(1)
    return {"given": loaded.file, "place": loaded.place, "into": str(loaded.model.name),
            "tensors": len(pairs), "made_at": common[0][0] if common else None}  # fmt: skip


def _is_within(part: Any, model: Any) -> bool:
    own = {id(one.variable) for one in library.variables(model)}
    return any(id(one.variable) in own for one in library.variables(part))


def describe_base(look: Look, base: Base, held: list[Held]) -> dict[str, Any]:
    """Returns the pretrained part of a model at a fit as JSON."""
    called, given = base.called, base.given
    own = {id(one) for one in base.layers}
    inside = [one for one in held if id(one.layer) in own]
    norms, acting = [one for one in base.layers if library.is_norm(one)], look.acting["training"]
    return {
        "name": base.name, "place": base.place, "is_nested": base.whole is not None, "is_hub": base.is_hub,
        "parameters": len(inside), "batch_norms": len(norms),
        "norms": sum(getattr(one, "gamma", None) is not None for one in base.layers),
        "level_norms": sum(id(one) in look.level for one in base.layers),
        "frozen": sum(id(one.variable) not in look.trained for one in inside),
        "acting_norms": sum(acting.get(id(one), False) for one in norms),
        "acting_among_frozen": _among_frozen(look, base.layers, acting),
        "expects": base.expects, "expects_in_words": expects.words(base.expects),
        "called_at": called.place if called else None, "training": called.training if called else None,
        "weights": None if given.get("weights") is None else str(given["weights"]),
        "handle": given.get("handle"),
    }  # fmt: skip
