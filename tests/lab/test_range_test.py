"""The sweep ends where the loss explodes, and its optimum lies between doing nothing and exploding."""

import numpy as np
import pytest
import torch
from tiny import make_arm

from plateau_cause.lab import build, range_test


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd", "rmsprop"])
def test_the_optimum_trains(make_lab, name):
    task = build.task(make_lab(), make_arm({"optimizer.name": name}))
    rate = range_test.optimum(task)
    low, high = range_test.RATES[name]
    assert low / 10 < rate <= high / 10


def test_repeats(make_lab):
    sweeps = [range_test.sweep(build.task(make_lab(), make_arm())) for _ in range(2)]
    assert np.array_equal(sweeps[0][0], sweeps[1][0])
    assert np.array_equal(sweeps[0][1], sweeps[1][1])


def test_ends_where_the_loss_explodes(make_lab, monkeypatch):
    monkeypatch.setitem(range_test.RATES, "sgd", (1e-3, 1e6))
    task = build.task(
        make_lab(), make_arm({"optimizer.name": "sgd", "batch_norm": "frozen", "loss.name": "mse"})
    )
    rates, losses = range_test.sweep(task)
    assert len(rates) == len(losses) < range_test.STEPS
    monkeypatch.setattr(range_test, "sweep", lambda task: (rates, losses))
    assert range_test.optimum(task) < rates[-1] / 10


def test_a_loss_that_is_not_a_number_is_not_the_lowest(monkeypatch):
    found = (np.array([1e-3, 1e-2, 1e-1, 1.0]), np.array([2.0, 1.0, 3.0, np.nan]))
    monkeypatch.setattr(range_test, "sweep", lambda task: found)
    assert range_test.optimum(None) == pytest.approx(1e-3)


def test_without_a_gradient_or_a_number_there_is_no_optimum(make_lab):
    task = build.task(make_lab(), make_arm())
    task.loss = lambda output, target: output.detach().sum()
    assert range_test.optimum(task) is None
    task.loss = lambda output, target: output.sum() * torch.nan
    assert range_test.optimum(task) is None
