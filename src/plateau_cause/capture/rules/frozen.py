"""Observations about what never moves: layers frozen, features computed once."""

from __future__ import annotations

from plateau_cause.capture.patches.keras_model import frozen_last, trained_as_one, unfrozen_but_norms
from plateau_cause.capture.patches.model import unfrozen
from plateau_cause.capture.rules.observation import Observation, Peeked, with_places

SMALL_PART = 0.3  # of a model's numbers: as much as adapters have
ADAPTERS = ("lora_", "adapter", "prompt")  # in names of what trains beside a frozen network


def frozen_layers(peeked: Peeked) -> Observation | None:
    """Returns which layers are frozen, where no line that is still to run can change that."""
    frozen = peeked.model["frozen"]
    is_noted = frozen["parameters"] and frozen["matrices"]  # norms alone are often frozen on purpose
    if not is_noted or frozen.get("changes_at") or _is_said_of_keras(peeked) or is_computed(peeked):
        return None
    if _are_adapters(peeked) and not frozen.get("has_head"):
        return None  # the method itself
    head = peeked.model.get("head")
    among = f", {head['name']} among them, which gives the outputs" if head and frozen.get("has_head") else ""
    stopped = (peeked.content.get("training") or {}).get("stopped_at")
    also = ", and no gradient arrives there" if stopped else ""
    place = frozen_last(peeked.folder, frozen["place"]) if peeked.keras else frozen["place"]
    words = with_places(f"{never_move(frozen['layers'])}{among}: frozen{also}", place, stopped)
    return Observation("frozen_layers", "frozen_layers", words, place, unfreezing(peeked))


def unfreezing(peeked: Peeked, rate: float | None = None) -> str | None:
    """Returns the change that unfreezes, and has an optimizer that holds the head alone hold the model.

    Where adapters train beside frozen layers, to unfreeze these would take the method back. Where gradients
    stop besides, they flow on, or nothing is changed: one line alone would move nothing.

    Args:
        peeked: the peek of a script.
        rate: of what was frozen, where that of the rest is too high for it.
    """
    if _are_adapters(peeked):
        return None
    stopped = (peeked.content.get("training") or {}).get("stopped_at")
    place = peeked.model["frozen"]["place"]
    if (peeked.model.get("base") or {}).get("batch_norms"):
        return None if stopped else unfrozen_but_norms(peeked.folder, place)
    optimizers = peeked.content["optimizers"]
    optimizer = optimizers[0]["place"] if len(optimizers) == 1 else None
    return unfrozen(peeked.folder, place, optimizer, peeked.parts, rate, stopped)


def _are_adapters(peeked: Peeked) -> bool:
    """Returns whether adapters train beside frozen layers, as their names say."""
    trained = peeked.model.get("trains") or {}
    is_small = trained.get("numbers", 0) <= SMALL_PART * peeked.model.get("numbers", 0)
    return is_small and any(word in trained.get("layers", "").lower() for word in ADAPTERS)


def computed_beforehand(peeked: Peeked) -> Observation | None:
    """Returns that a head is trained on features that its network computed once, before training."""
    place = peeked.content.get("computed_at")
    if place is None:
        return None
    still = [peeked.model[part]["layers"] for part in ("frozen", "not_held") if peeked.model[part]["layers"]]
    if not still:
        return None
    words = with_places(
        f"{never_move(' and '.join(still))}: features are computed once, before training", place
    )
    patch = None
    if peeked.model.get("base"):
        patch = trained_as_one(peeked.folder, peeked.content["epochs"]["place"])
    return Observation("computed_beforehand", "frozen_layers", words, place, patch)


def never_move(layers: str) -> str:
    """Returns that layers never move, one or several of them."""
    if layers == "everything":
        return "nothing of the model moves"
    is_one = not any(word in layers for word in (", ", " to ", " and ", " layers of "))
    return f"{layers} never move{'s' if is_one else ''}"


def _is_said_of_keras(peeked: Peeked) -> bool:
    """Returns whether rules.keras says why layers stand still: a SavedModel, or no second `compile`."""
    is_hub = (peeked.model.get("base") or {}).get("is_hub", False)
    stale = (peeked.content.get("keras") or {}).get("stale") or []
    return bool(is_hub or any(one["would_train"] for one in stale))


def is_computed(peeked: Peeked) -> bool:
    """Returns whether what stands still was left behind before training, see `computed_beforehand`."""
    return peeked.content.get("computed_at") is not None
