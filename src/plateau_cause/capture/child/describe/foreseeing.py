"""What schedules will make of the rate until a training ends: copies of them are stepped ahead."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass
from typing import Any

from plateau_cause.capture.child.describe.standing_in import StandIn
from plateau_cause.capture.child.doors.schedules import Schedule, Schedules, Told

TENTHS = 10
MOST = 40_000  # rates computed: below a second


@dataclass(frozen=True)
class Length:
    """How long a training is: epochs, the optimizer's steps in each, and the batches of one such step.

    `seen` is how many steps of the optimizer a peek has seen.
    """

    epochs: int
    steps: int
    batches: int = 1
    seen: int = 0


@dataclass(frozen=True)
class Beat:
    """How often a schedule is stepped within each of the optimizer's steps, and at the end of each epoch."""

    at_steps: int
    at_epochs: int


def rates_ahead(one: Schedule, among: Schedules, length: Length) -> list[float] | None:
    """Returns the highest rate of all groups at each tenth of a training, under all schedules together.

    The list ends where too many steps would have to be computed; None where a schedule is told what to do
    from outside: a metric, a number of its own.
    """
    start = among.starts.get(id(getattr(one.scheduler, "optimizer", None)))
    stepped = {id(other.scheduler): other for other in among.known if other.steps}
    if start is None or isinstance(one.scheduler, Told):
        return None
    stand_in, copies = start.again()
    due = [(copied, stepped[id(scheduler)]) for scheduler, copied in copies if id(scheduler) in stepped]
    if not due or any(other.is_led for _, other in due):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _rates(stand_in, [(copied, _beat(other, length)) for copied, other in due], length)


def _beat(one: Schedule, length: Length) -> Beat:
    """Returns when a schedule was stepped so far; where gradients are added up, at every batch or every step.

    What follows the last step that was seen is not counted yet, so that the nearer of the two is meant.
    """
    at_batches = one.within_pass >= length.seen * (1 + length.batches) / 2
    within = length.batches if length.batches > 1 and at_batches else 1
    return Beat(within * (one.within_pass > 0), int(one.steps > one.within_pass))


def _rates(stand_in: StandIn, stepped: list[tuple[Any, Beat]], length: Length) -> list[float]:
    at_steps = [scheduler for scheduler, when in stepped for _ in range(when.at_steps)]
    at_epochs = [scheduler for scheduler, when in stepped for _ in range(when.at_epochs)]
    whole = length.epochs * length.steps
    kept = Counter(round(part * (whole - 1) / TENTHS) for part in range(TENTHS + 1))
    left = MOST
    rates: list[float] = []
    for step in range(whole):
        rates += [stand_in.rate] * kept[step]
        is_last = (step + 1) % length.steps == 0
        due = at_steps + at_epochs if is_last else at_steps
        try:
            for scheduler in due:
                scheduler.step()
        except ValueError:  # one that is shorter than the training, as OneCycleLR says of itself
            break
        left -= len(due) * len(stand_in.param_groups)
        if left < 0:
            break
    return rates
