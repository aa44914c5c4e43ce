"""Weights that were loaded from a file: how much of the model they fill, and what is left of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plateau_cause.capture.child.describe import facts
from plateau_cause.capture.child.doors.calling import Loaded, sums

if TYPE_CHECKING:
    from plateau_cause.capture.child.main import Doors
    from plateau_cause.capture.child.peek import Peek

OTHER = 1e-4  # of the sum of a matrix's sizes: by more its numbers are others


def describe_weights(doors: Doors, peek: Peek, named: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns which weights were loaded into the model, how much they filled, and what is left of them."""
    own = {id(one) for one in named.values()}
    first = {
        id(parameter): state[name]
        for module, state in peek.initial.values()
        for name, parameter in module.named_parameters()
        if name in state
    }
    found = []
    for loaded in doors.calling.loaded:
        if any(id(one) in own for one in loaded.module.parameters()):
            found.append({"place": loaded.place, "into": facts.kind(loaded.module), "given": loaded.given,
                          "matched": loaded.matched, "tensors": loaded.tensors,
                          "missing": loaded.missing[:8], **_written_over(doors, loaded, first)})  # fmt: skip
    return found


def _written_over(doors: Doors, loaded: Loaded, first: dict[int, Any]) -> dict[str, Any]:
    """Returns how many of the loaded matrices are others at the first training call, and the line."""
    now = {name: first[id(one)] for name, one in loaded.module.named_parameters() if id(one) in first}
    kept, found = {name: one for name, one in loaded.sums.items() if name in now}, sums(now)
    others = [name for name, before in kept.items() if name in found and _are_others(before, found[name])]
    parts = {id(one) for one in loaded.module.modules()}
    places = [place for place, module in doors.calling.applied.items()
              if any(id(one) in parts for one in module.modules())]  # fmt: skip
    return {
        "matrices": len(kept),
        "written_over": len(others),
        "written_over_at": places[-1] if places else None,
    }


def _are_others(before: tuple[float, float], after: tuple[float, float]) -> bool:
    return sum(abs(one - other) for one, other in zip(before, after, strict=True)) > OTHER * before[1]
