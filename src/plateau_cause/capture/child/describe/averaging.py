"""How fast an average of the weights, which is evaluated in place of the model, follows what is trained."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from plateau_cause.capture.child.describe import facts
from plateau_cause.capture.child.places import Place, is_users
from plateau_cause.capture.child.plans import tree_of

if TYPE_CHECKING:
    from plateau_cause.capture.child.describe.foreseeing import Length
    from plateau_cause.capture.child.main import Doors
    from plateau_cause.capture.child.peek import Peek

MOST_UPDATES = 2_000  # that are asked for one by one
UPDATES = re.compile("update|ema|averag|swa|lerp")  # in the name of what gives an average the weights


def left_at_end(average: Any, trained: Any, before: dict[str, Any], steps: int, length: int) -> float | None:
    """Returns the share of its first weights that an average still holds at the end of a training.

    An average that takes a share r of the weights at every step has taken about r (n + 1) / 2 of their way
    after n steps, as these move on meanwhile; after a whole training (1 - r) ** length of it is left.

    Args:
        average: a copy of the model.
        trained: the model.
        before: its weights before the first step, by name.
        steps: taken so far.
        length: steps of the whole training.

    Returns:
        0..1; None where the copy is of another kind, or nothing has moved.
    """
    import torch

    now, own = trained.state_dict(), average.state_dict()
    names = [name for name, one in trained.named_parameters() if name in before and name in own]
    if len(names) < len(dict(trained.named_parameters())) or not steps:
        return None
    along = way = taken_2 = 0.0
    with torch.no_grad():
        for name in names:
            if not now[name].shape == own[name].shape == before[name].shape:
                return None
            moved, followed = (one[name].double() - before[name].double() for one in (now, own))
            along += float((followed * moved).sum())
            way += float((moved**2).sum())
            taken_2 += float((followed**2).sum())
    if not way or taken_2 > way:  # one that began elsewhere: a teacher, another model of the same class
        return None
    taken = min(max(2 * along / way / (steps + 1), 0.0), 1.0)
    return float((1.0 - taken) ** length)


def left_of_torchs(averaged: Any, steps: int, length: int) -> float | None:
    """Returns the same of torch's `AveragedModel`, which has the weights of its first update to begin with.

    Its function is asked how much it takes of new weights at every update.

    Args:
        averaged: the module that is evaluated.
        steps: taken so far.
        length: steps of the whole training.

    Returns:
        0..1; None for any other module, for an average in which every step counts alike, and for one that is
        not updated at every step.
    """
    import torch

    updates = int(getattr(averaged, "n_averaged", 0))
    many, one = (getattr(averaged, name, None) for name in ("multi_avg_fn", "avg_fn"))
    if not 1 < updates >= steps or not (many or one):
        return None
    left = 1.0
    with torch.no_grad():
        for number in range(1, min(length, MOST_UPDATES)):
            old, new, count = torch.zeros(1), torch.ones(1), torch.tensor(number)
            if many:
                many([old], [new], count)
            elif one:
                old = one(old, new, count)
            left *= 1.0 - float(old)
    return left if length <= MOST_UPDATES else float(left ** (length / MOST_UPDATES))


def may_be_updated(models: Sequence[str]) -> bool:
    """Returns whether the user's code has a call that looks like an update of an average, later on perhaps.

    That is a function named so which is given the model, or a loop over the parameters of two modules.

    Args:
        models: names of what is trained, as the script has them.
    """
    own = {name.rpartition(".")[2] for name in models}
    for call in _calls():
        name = _last(call.func)
        given = {_last(one) for one in (*call.args, *(word.value for word in call.keywords))}
        if name[:1].islower() and UPDATES.search(name) and given & own:
            return True
        pairs = [one for one in call.args if isinstance(one, ast.Call)]
        if name == "zip" and sum(_last(one.func) in ("parameters", "values", "items") for one in pairs) > 1:
            return True
    return False


def never_updated(places: Sequence[Place | None]) -> list[Place]:
    """Returns the lines on which the user builds an AveragedModel, where no code of theirs updates one."""
    if any(_last(call.func) == "update_parameters" for call in _calls()):
        return []
    return [place for place in places if place is not None and _builds(place)]


def _builds(place: Place) -> bool:
    """Returns whether a line itself asks for the average: a framework may build one for another call."""
    nodes = ast.walk(tree_of(place.file) or ast.Module([], []))
    calls = [
        one
        for one in nodes
        if isinstance(one, ast.Call) and one.lineno <= place.line <= (one.end_lineno or 0)
    ]
    return any(_last(one.func) == "AveragedModel" for one in calls)


def _calls() -> Iterator[ast.Call]:
    """Yields every call in the user's files that are loaded."""
    files = {str(getattr(one, "__file__", None) or "") for one in list(sys.modules.values())}
    for file in sorted(file for file in files if file.endswith(".py") and is_users(file)):
        yield from (
            node for node in ast.walk(tree_of(file) or ast.Module([], [])) if isinstance(node, ast.Call)
        )


def _last(node: ast.AST) -> str:
    """Returns the last part of a dotted name; empty for anything else."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def average(doors: Doors, peek: Peek, length: Length | None) -> dict[str, Any] | None:
    """Returns what is evaluated in place of the trained model: an average of its weights, most likely."""
    trained = [facts.unwrapped(one.module)[0] for one in peek.training]
    for call in peek.evaluation:
        inner, around = facts.unwrapped(call.module)
        parts = [module for one in trained for module in one.modules()]
        whole = list(inner.modules())
        if not any(inner is part for part in parts) and not any(one in whole for one in trained):
            is_own = [any(other.module is one.module for one in peek.training) for other in peek.evaluation]
            is_copy = not around and any(type(inner) is type(one) for one in trained)
            steps = doors.stepping.steps
            planned = length.epochs * length.steps if length else 0
            left = [doors.hooks.attempt(left_of_torchs, call.module, steps, planned)]
            left += [doors.hooks.attempt(_left, inner, one, peek, steps, length) for one in trained]
            return {"class": (around or [facts.kind(inner)])[0], "name": call.name, "is_copy": is_copy,
                    "left": next((one for one in left if one is not None), None),
                    "place": doors.places.of(call.module) or doors.places.of(inner),
                    "is_beside": any(is_own), "called_at": call.place, "loop": call.facts["loop"],
                    "modes": call.facts["modes"], "set_at": call.facts["set_at"]}  # fmt: skip
    return None


def _left(average: Any, trained: Any, peek: Peek, steps: int, length: Length | None) -> float | None:
    """Returns how much of its first weights an average still holds at the end; None where it is none."""
    _, before = peek.initial.get(id(trained), (None, None))
    if before is None or length is None or type(average) is not type(trained):
        return None
    left = left_at_end(average, trained, before, steps, length.epochs * length.steps)
    names = [one.name for one in peek.training if one.name]
    return None if left == 1.0 and may_be_updated(names) else left
