"""Weights that were loaded from a file: how much of the model they fill, and what is left of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plateau_cause.capture.child.describe import facts
from plateau_cause.capture.child.doors.calling import Loaded, sums

if TYPE_CHECKING:
    from plateau_cause.capture.child.main import Doors
    from plateau_cause.capture.child.peek import Peek

OTHER, ROUNDED = 1e-4, 1e-2  # of the sum of a matrix's sizes: by more its numbers are others


def describe_weights(doors: Doors, peek: Peek, named: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns which weights were loaded into the model, how much they filled, and what is left of them."""
    own = {id(one) for one in named.values()}
    first = {
        id(parameter): state[name]
        for module, state in peek.initial.values()
        for name, parameter in module.named_parameters()
        if name in state
    }
    last = {
        id(one): loaded
        for loaded in doors.calling.loaded
        if loaded.sums
        for one in loaded.module.parameters()
    }
    found = []
    for loaded in doors.calling.loaded:
        if any(id(one) in own for one in loaded.module.parameters()):
            at_first = {key: value for key, value in first.items() if last.get(key) is loaded}
            over = _written_over(doors, loaded, at_first)
            found.append({"place": loaded.place, "into": facts.kind(loaded.module), "given": loaded.given,
                          "matched": loaded.matched, "tensors": loaded.tensors,
                          "missing": loaded.missing[:8], **over})  # fmt: skip
    return found


def _written_over(doors: Doors, loaded: Loaded, first: dict[int, Any]) -> dict[str, Any]:
    """Returns how many of the loaded matrices are known to be others at the first call, and the line."""
    now = {name: first[id(one)] for name, one in loaded.module.named_parameters() if id(one) in first}
    kept, found = {name: one for name, one in loaded.sums.items() if name in now}, sums(now)
    allowed = {name: ROUNDED if _is_coarse(now[name]) else OTHER for name in kept}
    others = [name for name, before in kept.items()
              if name in found and are_others(before, found[name], allowed[name])]  # fmt: skip
    parts = {id(one) for one in loaded.module.modules()}
    places = [place for place, module in doors.calling.applied.items()
              if any(id(one) in parts for one in module.modules())]  # fmt: skip
    return {
        "matrices": len(loaded.sums),
        "written_over": len(others),
        "written_over_at": places[-1] if places else None,
    }


def are_others(before: tuple[float, float], after: tuple[float, float], tolerance: float = OTHER) -> bool:
    """Returns whether two matrices hold other numbers, by what `sums` says of each."""
    return sum(abs(one - other) for one, other in zip(before, after, strict=True)) > tolerance * before[1]


def _is_coarse(value: Any) -> bool:
    """Returns whether numbers are rounded so that their sum says less: half precision."""
    return bool(value.element_size() < 4)
