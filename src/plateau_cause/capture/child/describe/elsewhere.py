"""Weights that were loaded into a module which is not the one that trains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plateau_cause.capture.child.describe import facts
from plateau_cause.capture.child.describe.weights import are_others
from plateau_cause.capture.child.doors.calling import Loaded, sums
from plateau_cause.capture.child.twins import twin

if TYPE_CHECKING:
    from plateau_cause.capture.child.main import Doors
    from plateau_cause.capture.child.peek import Peek

MOSTLY = 0.5  # of a twin's matrices that must hold other numbers than were loaded


def elsewhere(doors: Doors, peek: Peek, parts: list[Any]) -> dict[str, Any] | None:
    """Returns what was loaded into a twin of the trained model, and the line that made the model.

    None where the model holds everything that was loaded, is no such network, or was copied from it. A
    network that is called itself is a teacher, and has its weights for that.
    """
    own = {id(one) for part in parts for one in part.parameters()}
    called = {id(one) for module, _ in doors.calling.named() for one in module.parameters()} - own
    filled = {id(one) for loaded in doors.calling.loaded for one in loaded.module.parameters()}
    first = {id(parameter): state[name] for module, state in peek.initial.values()
             for name, parameter in module.named_parameters() if name in state}  # fmt: skip
    for loaded in doors.calling.loaded:
        inside = {id(one) for one in loaded.module.parameters()}
        if not loaded.sums or 2 * loaded.matched < loaded.tensors or inside & (own | called):
            continue
        for part in (facts.unwrapped(one)[0] for one in parts):
            module, found = twin(loaded.module, part, filled) or (None, {})
            if _differs(loaded, {name: first.get(id(one)) for name, one in found.items()}):
                return {"place": loaded.place, "into": facts.kind(loaded.module), "tensors": len(found),
                        "made_at": doors.places.of(module)}  # fmt: skip
    return None


def _differs(loaded: Loaded, now: dict[str, Any]) -> bool:
    """Returns whether most of the twin's matrices began with other numbers than those that were loaded."""
    after = sums({name: one for name, one in now.items() if one is not None})
    both = [name for name in after if name in loaded.sums]
    others = [name for name in both if are_others(loaded.sums[name], after[name])]
    return len(others) > MOSTLY * len(both)
