"""Rates that lie ahead are those that the same schedules give when they are really stepped."""

import math

import pytest
import torch
from torch.optim import lr_scheduler

from plateau_cause.capture.child.describe import foreseeing
from plateau_cause.capture.child.describe.foreseeing import Length, rates_ahead
from plateau_cause.capture.child.doors.schedules import Schedule, Schedules, _zero_of

LENGTH = Length(epochs=5, steps=8)
KINDS = {
    "steps": lambda held: [lr_scheduler.StepLR(held, 10, 0.5)],
    "cosine": lambda held: [lr_scheduler.CosineAnnealingLR(held, 40)],
    "cycle": lambda held: [lr_scheduler.OneCycleLR(held, 0.1, total_steps=60)],
    "lambda": lambda held: [lr_scheduler.LambdaLR(held, lambda step: 1 / (1 + step))],
    "restarts": lambda held: [lr_scheduler.CosineAnnealingWarmRestarts(held, 7)],
    "warm-up, then decay": lambda held: [
        lr_scheduler.SequentialLR(
            held, [lr_scheduler.LinearLR(held, 0.1, 1.0, 5), lr_scheduler.ExponentialLR(held, 0.9)], [5]
        )
    ],
    "two in a chain": lambda held: [lr_scheduler.ExponentialLR(held, 0.9), lr_scheduler.StepLR(held, 3, 0.5)],
}


def known(schedules, within, outside):
    among = Schedules(None, None)
    among.known = [Schedule(one, None, None, within + outside, within) for one in schedules]
    among._keep_start(schedules[0])
    return among


def optimizer():
    groups = [{"params": [torch.zeros(1, requires_grad=True)], "lr": rate} for rate in (0.01, 0.1)]
    return torch.optim.SGD(groups, momentum=0.9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("within", "outside"), [(1, 0), (0, 1), (1, 1)])
def test_the_rates_are_those_of_the_training(kind, within, outside):
    held = optimizer()
    schedules = KINDS[kind](held)
    among = known(schedules, within, outside)
    before = [group["lr"] for group in held.param_groups]
    counts = [one.last_epoch for one in schedules]
    ahead = rates_ahead(among.known[0], among, LENGTH)
    assert [group["lr"] for group in held.param_groups] == before
    assert [one.last_epoch for one in schedules] == counts

    rates = []
    for step in range(40):
        rates.append(max(group["lr"] for group in held.param_groups))
        held.step()
        for one in schedules:
            for _ in range(within + (outside and step % 8 == 7)):
                one.step()
    assert ahead == pytest.approx([rates[round(part * 39 / 10)] for part in range(11)], rel=1e-9)


def test_what_is_told_from_outside_is_not_foreseen():
    among = known([lr_scheduler.ReduceLROnPlateau(optimizer())], 0, 1)
    among.known[0].is_led = True
    assert rates_ahead(among.known[0], among, LENGTH) is None


def test_a_schedule_that_is_never_stepped_has_no_rates_ahead():
    among = known([lr_scheduler.StepLR(optimizer(), 10)], 0, 0)
    assert rates_ahead(among.known[0], among, LENGTH) is None


def test_a_long_training_is_foreseen_as_far_as_that_is_quick(monkeypatch):
    monkeypatch.setattr(foreseeing, "MOST", 40)
    among = known([lr_scheduler.ExponentialLR(optimizer(), 0.9)], 1, 0)
    assert len(rates_ahead(among.known[0], among, LENGTH)) == 6  # steps 0 to 20, for two groups


def test_a_schedule_that_is_too_short_is_foreseen_to_its_end():
    among = known([lr_scheduler.OneCycleLR(optimizer(), 0.1, total_steps=20)], 1, 0)
    assert len(rates_ahead(among.known[0], among, LENGTH)) == 6  # of tenths of 40 steps


@pytest.mark.parametrize(("within", "times"), [(2, 1), (3, 2), (4, 2)])
def test_where_gradients_are_added_up_it_may_be_stepped_at_every_batch(within, times):
    """Two steps of two batches each were seen; what follows the second may not have been."""
    held = optimizer()
    among = known([lr_scheduler.CosineAnnealingLR(held, 80)], within, 0)
    ahead = rates_ahead(among.known[0], among, Length(epochs=5, steps=8, batches=2, seen=2))
    assert ahead[-1] == pytest.approx(ahead[0] * (0.5 if times == 1 else 0.0), rel=0.05, abs=1e-3)


@pytest.mark.parametrize(
    ("function", "zero"),
    [
        (lambda step: max(0.0, (100 - step) / 100), 100),
        (lambda step: max(0.0, math.cos(math.pi * 7 / 16 * step / 275)), None),  # a wave: zero now and then
        (lambda step: 0.5, None),
    ],
)
def test_the_step_from_which_a_rate_is_zero_for_good(function, zero):
    assert _zero_of([function]) == zero
