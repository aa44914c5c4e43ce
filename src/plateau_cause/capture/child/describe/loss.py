"""The loss of a peek: which function, on what, what stood before it, and whether it is all of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from plateau_cause.capture.child.describe import facts
from plateau_cause.capture.child.describe.graph import reaches, variables
from plateau_cause.capture.child.doors.losing import FUSED, Activation, Loss, form, kind_of
from plateau_cause.capture.child.passes import Forward

if TYPE_CHECKING:
    from plateau_cause.capture.child.main import Doors

WHOLE = 1e-2  # by how much the loss may differ from what backward is called on


def describe_loss(doors: Doors, forward: Forward) -> tuple[dict[str, Any], Loss | None, bool]:
    """Returns the loss that followed a call as JSON, the call of torch, and whether it was changed before.

    The call is None where no function of torch was called; changed is one that was given something else than
    the model's output.
    """
    losing, logits = doors.losing, facts.logits_of(forward.output)
    if not losing.recent:
        return _of_module(doors, logits), None, False
    added, beside = _parted(losing.recent, doors.stepping.root)
    direct = [one for one in added if logits is not None and _is_same(logits, one.output)]
    last = [*direct[:1], *added[-1:]][0]
    given, function, before = _given(doors, last)
    others = [one for one in added if one is not last]
    told = {
        "function": last.function if last.module is None else facts.kind(last.module),
        "computes": function,
        "place": last.place,
        "built": doors.places.of(last.module) if last.module is not None else None,
        "inside_model": last.is_inside,
        "on": form(given, before.function if before else None, function),
        "with": [_besides(doors, one) for one in others],
        "beside": [
            {"function": one.function, "place": one.place, "reaches": _reached(one)} for one in beside
        ],
        "is_number": last.value is None or math.isfinite(last.value),
        "is_whole": not others and _is_whole(doors, last.value),
        "after": _placed(before),
        "options": {name: facts.plain(value) for name, value in last.options.items()},
        "outputs": list(last.output.shape),
        "target": {
            "shape": list(last.target.shape),
            "dtype": str(last.target.dtype),
            "kind": kind_of(last.target),
        },
    }
    return told, last, not direct


def _parted(losses: list[Loss], root: Any) -> tuple[list[Loss], list[Loss]]:
    """Returns the losses that backward goes through, and those that were computed beside them."""
    added = [
        one for one in losses if root is None or one.node is None or (one.node and reaches(root, one.node))
    ]
    if not added:  # nothing is known of the way, through a compiler say
        return losses, []
    return added, [one for one in losses if not any(one is other for other in added)]


def _reached(loss: Loss) -> set[int]:
    """Returns the identities of the parameters that a loss would train; taken out of the document again."""
    return variables(loss.node) if loss.node else set()


def _besides(doors: Doors, loss: Loss) -> dict[str, Any]:
    """Returns a loss that is added to the one that is described whole."""
    given, function, before = _given(doors, loss)
    on = form(given, before.function if before else None, function) if given.ndim == 2 else None
    return {"function": loss.function, "place": loss.place, "computes": function, "on": on,
            "after": _placed(before)}  # fmt: skip


def _given(doors: Doors, loss: Loss) -> tuple[Any, str, Activation | None]:
    """Returns what a loss was given, what it computes of it, and the activation that stood before it.

    A module that applies one itself, a softmax for `nll_loss` say, was given what stood before that; and so
    was a log-softmax of what is activated already.
    """
    losing, called = doors.losing, doors.calling.last_without_parameters
    before = losing.activation_before(loss.output)
    is_own = before is not None and loss.module is not None and before.within is loss.module
    if before is not None and before.function == "log_softmax" and loss.function in FUSED:
        inner = losing.activation_before(before.given)
        if inner is not None:
            return before.given, FUSED[loss.function], inner
    if not is_own or called is None or called[0] is not loss.module:
        return loss.output, loss.function, before
    given = called[1][0]
    return given, FUSED.get(loss.function, loss.function), losing.activation_before(given)


def _is_whole(doors: Doors, value: float | None) -> bool:
    """Returns whether backward was called on this loss: whole, divided for accumulation, or scaled."""
    root = doors.stepping.loss
    if root is None or not value:
        return True  # not known to be more
    parts = value / float(root) if float(root) else 0.0
    if not math.isfinite(parts):
        return True
    return doors.stepping.is_scaled or abs(parts - max(round(parts), 1)) < WHOLE


def _of_module(doors: Doors, logits: Any) -> dict[str, Any]:
    """Returns the loss where no function of torch was called: the module that was called last, or by hand."""
    losing, last = doors.losing, doors.calling.last_without_parameters
    own = None if logits is None else losing.softmax_of(logits)
    module, given, place = last or (None, (), doors.stepping.backward_place)
    name = "the script's own" if module is None else facts.kind(module)
    outputs = own.given if own else given[0] if given else None
    before = None if outputs is None else losing.activation_before(outputs)
    return {
        "function": name,
        "computes": "cross_entropy" if own or "crossentropy" in name.lower() else None,
        "place": own.place if own and module is None else place,
        "built": None if module is None else doors.places.of(module),
        "inside_model": False,
        "on": None if outputs is None else form(outputs, before.function if before else None),
        "after": _placed(before),
        "options": {},
        **({} if outputs is None else {"outputs": list(outputs.shape)}),
    }


def _placed(before: Activation | None) -> dict[str, Any] | None:
    return None if before is None else {"function": before.function, "place": before.place}


def _is_same(first: Any, second: Any) -> bool:
    return bool(first.shape == second.shape and (first.detach() == second.detach()).all())
