"""How fast an average of the weights, which is evaluated in place of the model, follows what is trained."""

from __future__ import annotations

from typing import Any


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
    along = way = 0.0
    with torch.no_grad():
        for name in names:
            moved, followed = (one[name].double() - before[name].double() for one in (now, own))
            along += float((followed * moved).sum())
            way += float((moved**2).sum())
    if not way:
        return None
    taken = min(max(2 * along / way / (steps + 1), 0.0), 1.0)
    return float((1.0 - taken) ** length)
