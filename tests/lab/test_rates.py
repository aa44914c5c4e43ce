"""A learning rate is carried by its ratio to the optimum of what it moves."""

from dataclasses import replace

import pytest
from tiny import make_arm

from plateau_cause.lab import range_test
from plateau_cause.lab.rates import USUAL, Rates, moving


@pytest.fixture
def rates(make_lab, monkeypatch):
    """Rates whose range test finds ten times the usual rate: the optimum is their geometric mean."""
    measured = []

    def find(task):
        measured.append(task.recipe)
        return 10.0 * USUAL[task.recipe.optimizer.name][task.recipe.trainable]

    monkeypatch.setattr(range_test, "optimum", find)
    made = Rates(make_lab())
    made.measured = measured
    return made


def rate(arm):
    return arm.recipe.optimizer.learning_rate


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd", "rmsprop"])
@pytest.mark.parametrize("trainable", ["head", "last_block", "all"])
def test_the_optimum_lies_between_the_measured_and_the_usual_rate(rates, name, trainable):
    arm = make_arm({"optimizer.name": name, "trainable": trainable})
    assert rates.optimum(arm) == pytest.approx(USUAL[name][trainable] * 10**0.5)


def test_without_a_range_test_the_usual_rate_counts(rates, monkeypatch):
    monkeypatch.setattr(range_test, "optimum", lambda task: None)
    assert rates.optimum(make_arm()) == USUAL["adamw"]["all"]


@pytest.mark.parametrize("found", [1e-9, 1e9])
def test_a_range_test_far_off_is_trusted_a_decade_far(rates, monkeypatch, found):
    monkeypatch.setattr(range_test, "optimum", lambda task: found)
    ratio = rates.optimum(make_arm()) / USUAL["adamw"]["all"]
    assert ratio == pytest.approx(10 ** (0.5 if found > 1 else -0.5))


def test_is_measured_once_for_what_decides_it(rates):
    arm = make_arm()
    first = rates.optimum(arm)
    for values in (
        {"optimizer.learning_rate": 3.0},
        {"head.activation": "softmax"},
        {"schedule.epochs": 9},
        {"batch_size": 4},
    ):
        assert rates.optimum(make_arm(values)) == first
    assert len(rates.measured) == 1
    rates.optimum(make_arm({"trainable": "head"}))
    assert len(rates.measured) == 2


def test_what_was_measured_is_kept_on_disk(make_lab, tmp_path, monkeypatch):
    first = Rates(make_lab(folder=tmp_path))
    found = first.optimum(make_arm())
    monkeypatch.setattr(range_test, "optimum", lambda task: pytest.fail("measured again"))
    again = Rates(make_lab(folder=tmp_path))
    assert again.optimum(make_arm()) == found
    assert again.seconds == first.seconds > 0
    elsewhere = Rates(make_lab(shelves=(tmp_path,)))
    assert elsewhere.optimum(make_arm()) == found


def test_carry_keeps_the_ratio(rates):
    before = make_arm({"trainable": "head", "optimizer.learning_rate": 1e-4})
    after = replace(before, recipe=make_arm({"trainable": "all", "optimizer.name": "sgd"}).recipe)
    carried = rates.carry(before, after)
    assert rates.ratio(carried) == pytest.approx(rates.ratio(before), rel=0.01)
    assert replace(carried.recipe, optimizer=after.recipe.optimizer) == after.recipe


def test_carry_between_equals_changes_nothing(rates):
    before = make_arm({"optimizer.learning_rate": 0.0123456})
    after = make_arm({"optimizer.learning_rate": 0.0123456, "head.dropout": 0.5})
    assert rates.carry(before, after) is after


def test_carry_to_a_ratio(rates):
    carried = rates.carry(make_arm(), make_arm(own=frozenset({"learning_rate", "loss"})), ratio=1.0)
    assert rates.ratio(carried) == pytest.approx(1.0, rel=0.01)
    assert carried.own == {"loss"}


@pytest.mark.parametrize(
    ("values", "moved"),
    [
        ({"trainable": "all"}, "all"),
        ({"trainable": "last_block"}, "last_block"),
        ({"trainable": "all", "optimizer.parameters": "head"}, "head"),
        ({"trainable": "none"}, "head"),
    ],
)
def test_what_moves(values, moved):
    assert moving(make_arm(values)) == moved


def test_momentum_counts_for_sgd_alone(rates):
    by_momentum = [
        rates.optimum(make_arm({"optimizer.name": "sgd", "optimizer.momentum": m})) for m in (0.9, 0.0)
    ]
    assert by_momentum[1] > 2 * by_momentum[0]
    adam = [rates.optimum(make_arm({"optimizer.momentum": m})) for m in (0.9, 0.0)]
    assert adam[0] == adam[1]
