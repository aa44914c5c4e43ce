"""The part of the peek about the model: its parts, what trains, what is held, what moved, what was loaded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from plateau_cause.capture.child.ahead import hold_ahead, thaw_ahead
from plateau_cause.capture.child.describe import facts
from plateau_cause.capture.child.describe.backbone import backbone
from plateau_cause.capture.child.describe.dropping import share_of
from plateau_cause.capture.child.describe.elsewhere import elsewhere
from plateau_cause.capture.child.describe.layers import prefixes, worded
from plateau_cause.capture.child.describe.weights import describe_weights
from plateau_cause.capture.child.places import Place, frame_here
from plateau_cause.capture.child.unregistered import kept_at, unregistered

if TYPE_CHECKING:
    from plateau_cause.capture.child.main import Doors
    from plateau_cause.capture.child.peek import Peek

NEAR = 6  # operations between a head and the outputs that are judged


def describe_model(doors: Doors, peek: Peek) -> dict[str, Any]:
    """Returns the model as JSON, with `names`: parameter → its name, for other parts of the document."""
    named = parameters(peek)
    held = {id(one) for record in doors.stepping.held if record.steps or doors.stepping.is_fresh(record)
            for group in record.optimizer.param_groups for one in group["params"]}  # fmt: skip
    head = _head(doors, peek)
    return {
        "parts": [_part(doors, one) for one in parts(peek)],
        "calls": len(peek.training),
        "numbers": sum(one.numel() for one in named.values()),
        "backbone": doors.hooks.attempt(backbone, peek, [one.module for one in parts(peek)], doors.places),
        "head": head,
        **_what_moves(doors, peek, named, held, head),
        "strangers": _strangers(doors, named),
        "unregistered": doors.hooks.attempt(_unregistered, peek, held) or [],
        "weights": describe_weights(doors, peek, named),
        "weights_elsewhere": doors.hooks.attempt(elsewhere, doors, peek, [one.module for one in parts(peek)]),
        "dropout": doors.hooks.attempt(_dropout, doors, peek),
        "dropout_in_evaluation": [{"place": place, "p": p} for place, p in doors.losing.dropped],
        "names": {id(one): name for name, one in named.items()},
    }


def parts(peek: Peek) -> list[Any]:
    """Returns the first training call of each module that is no part of another that is called."""
    inner = [facts.unwrapped(one.module)[0] for one in peek.training]
    within = {id(part) for one in inner for part in one.modules() if part is not one}
    return [call for call, one in zip(peek.training, inner, strict=True) if id(one) not in within]


def parameters(peek: Peek) -> dict[str, Any]:
    """Returns the parameters of the trained model by name; of several parts, behind each part's name."""
    found: dict[str, Any] = {}
    calls = parts(peek)
    for one in calls:
        inner, _ = facts.unwrapped(one.module)
        before = f"{one.name or facts.kind(inner)}." if len(calls) > 1 else ""
        if any(name.startswith(before) for name in found if before):  # two that the script gives no name
            before = f"{before}{len(found)}."
        found |= {f"{before}{name}": parameter for name, parameter in inner.named_parameters()}
        for path, module in unregistered(inner).items():
            found |= {f"{before}{path}.{name}": parameter for name, parameter in module.named_parameters()}
    return found


def _unregistered(peek: Peek, held: set[int]) -> list[dict[str, Any]]:
    """Returns what each part keeps where torch does not look, and no optimizer holds: names, and the line."""
    found = []
    for inner in [facts.unwrapped(one.module)[0] for one in parts(peek)]:
        names = [name for name, module in unregistered(inner).items()
                 if not any(id(one) in held for one in module.parameters())]  # fmt: skip
        found += [{"names": names, "place": kept_at(inner)}] if names else []
    return found


def _part(doors: Doors, call: Any) -> dict[str, Any]:
    inner, around = facts.unwrapped(call.module)
    return {"name": call.name, "class": facts.kind(inner), "within": around, "place": doors.places.of(inner)}


def _head(doors: Doors, peek: Peek) -> dict[str, Any] | None:
    """Returns the last layer that has as many outputs as the model, a linear one first; else the last."""
    from torch import nn

    logits = facts.logits_of(peek.training[-1].output)
    wanted = logits.shape[-1] if logits is not None and logits.ndim == 2 else None
    layers = [(f"{name or one.name}", module) for one in parts(peek) for name, module in
              facts.unwrapped(one.module)[0].named_modules()
              if isinstance(module, (nn.Linear, nn.Conv2d))]  # fmt: skip
    if wanted and not any(_outputs(one) == wanted for _, one in layers) and (own := _own_head(peek, wanted)):
        name, module = own
        return {"name": name, "outputs": wanted, "place": doors.places.of(module)}
    if not layers:
        return None
    given = _gives(logits)
    worth = [(_outputs(one) == wanted, one.weight is given, isinstance(one, nn.Linear), at)
             for at, (_, one) in enumerate(layers)]  # fmt: skip
    name, module = layers[worth.index(max(worth))]
    return {"name": name, "outputs": _outputs(module), "place": doors.places.of(module)}


def _gives(logits: Any) -> Any:
    """Returns the weight that was applied last to give some outputs; None where it is not found.

    A model may have a second head, for an auxiliary loss, that is called later.
    """
    ahead: list[Any] = [getattr(logits, "grad_fn", None)]
    for _ in range(NEAR):
        found = [one.variable for one in ahead if hasattr(one, "variable") and one.variable.ndim > 1]
        if found:
            return found[0]
        ahead = [then for one in ahead if one is not None for then, _ in one.next_functions]
    return None


def _own_head(peek: Peek, outputs: int) -> tuple[str, Any] | None:
    """Returns the last module with a matrix of its own that has a row or a column for each output."""
    named = [(name or one.name, module) for one in parts(peek)
             for name, module in facts.unwrapped(one.module)[0].named_modules()]  # fmt: skip
    found = [(str(name), module) for name, module in named if any(
        own.ndim == 2 and outputs in own.shape for own in module.parameters(recurse=False))]  # fmt: skip
    return found[-1] if found else None


def _dropout(doors: Doors, peek: Peek) -> dict[str, Any] | None:
    """Returns the layer that drops most: its share and where it was made; None where there is none."""
    modules = [module for one in parts(peek) for module in one.module.modules()]
    shares = [(float(getattr(one, name)), one) for one in modules if (name := share_of(one))]
    most = max(shares, key=lambda pair: pair[0], default=None)
    return None if most is None else {"p": most[0], "place": doors.places.of(most[1])}


def _outputs(layer: Any) -> int:
    return int(getattr(layer, "out_features", 0) or layer.out_channels)


def _what_moves(
    doors: Doors, peek: Peek, named: dict[str, Any], held: set[int], head: dict[str, Any] | None
) -> dict[str, Any]:
    later = [
        name for name, one in named.items() if one.requires_grad and not peek.first_flags.get(id(one), True)
    ]
    frozen = [name for name, one in named.items() if not one.requires_grad]
    unheld = [name for name, one in named.items() if one.requires_grad and id(one) not in held]
    trained = [name for name, one in named.items() if one.requires_grad and id(one) in held]
    live = [name for name in trained if name not in later]
    gradients = {name: peek.gradients.get(id(named[name])) for name in live}
    steps = doors.stepping.steps
    without = [name for name in live if steps and gradients[name] is None]
    zero = [name for name in live if steps and gradients[name] == 0]
    moved = {name: peek.moved.get(id(named[name]), (0.0, 0.0)) for name in live}
    still = [name for name in live if steps and not moved[name][0]]
    known = [name for name in live if name not in without]
    begun = {name: moved[name] for name in known if id(named[name]) not in peek.from_zero | peek.asleep}
    changes = _changes(begun, steps, named)
    return {
        "trains": _said(live, named),
        "frozen": _said(frozen, named)
        | {
            "place": _frozen_at(doors, [named[name] for name in frozen]),
            "has_head": bool(trained) and _is_within(head, frozen),
            "changes_at": doors.hooks.attempt(thaw_ahead, frame_here()) or doors.course.thaws,
        },
        "unfrozen_later": _said(later, named),
        "not_held": _said(unheld, named)
        | {
            "reached": None
            if set(unheld) <= set(later)
            else sum(id(named[name]) in peek.reached for name in unheld),
            "changes_at": doors.hooks.attempt(hold_ahead, frame_here()),
            "waits_at": _waiting(doors, [named[name] for name in unheld]),
        },
        "without_gradient": _said(without, named),
        "zero_gradient": _said(zero, named),
        "still": _said(still, named),
        "change_per_step": changes[len(changes) // 2] if changes else None,
        "largest_change_per_step": changes[-1] if changes else None,
    }


def _is_within(head: dict[str, Any] | None, frozen: list[str]) -> bool:
    """Returns whether a head of several names is among frozen parameters."""
    return head is not None and any(name.startswith(f"{head['name']}.") for name in frozen)


def _waiting(doors: Doors, unheld: list[Any]) -> Place | None:
    """Returns the line of an optimizer that holds some of these and has not taken a step."""
    wanted = {id(one) for one in unheld}
    for record in doors.stepping.held:
        held = {id(one) for group in record.optimizer.param_groups for one in group["params"]}
        is_left = not record.steps and not record.is_past and not doors.stepping.is_fresh(record)
        if is_left and wanted & held:
            return record.place
    return None


def _said(names: list[str], named: dict[str, Any]) -> dict[str, Any]:
    layers = prefixes(names, list(named)) if len(names) < len(named) else ["everything"] * bool(names)
    return {"layers": worded(layers), "parameters": len(names),
            "matrices": sum(named[name].ndim > 1 for name in names),
            "numbers": sum(named[name].numel() for name in names)}  # fmt: skip


def _frozen_at(doors: Doors, frozen: list[Any]) -> Place | None:
    written = [doors.calling.frozen.get(id(one)) for one in frozen]
    return _most_common(entry[1] for entry in written if entry is not None and not entry[2])


def _most_common(places: Iterable[Place | None]) -> Place | None:
    counted = Counter(place for place in places if place is not None)
    return counted.most_common(1)[0][0] if counted else None


def _changes(moved: dict[str, tuple[float, float]], steps: int, named: dict[str, Any]) -> list[float]:
    """Returns of each weight matrix what one step changes, as a part of its norm, the least first."""
    return sorted(change / steps / own for name, (change, own) in moved.items()
                  if steps and own and named[name].ndim > 1)  # fmt: skip


def _strangers(doors: Doors, named: dict[str, Any]) -> dict[str, Any]:
    """Returns what the optimizers hold that the model does not have."""
    own = {id(one) for one in named.values()}
    held = [one for record in doors.stepping.held if record.steps
            for group in record.optimizer.param_groups for one in group["params"]]  # fmt: skip
    strange = [one for one in held if id(one) not in own and own]
    return {"parameters": len(strange), "shapes": [list(one.shape) for one in strange[:4]],
            "have_gradients": any(one.grad is not None for one in strange),
            "of": _owner(doors, strange) if strange else None}  # fmt: skip


def _owner(doors: Doors, strange: list[Any]) -> str | None:
    """Returns what the script calls another model that holds parameters, and that it has called."""
    wanted = {id(one) for one in strange}
    named = [(name, module) for module, name in doors.calling.named() if name]
    return next(
        (name for name, module in named if any(id(one) in wanted for one in module.parameters())), None
    )
