"""The reference is the best of a few; larger images are tried only where frozen features see more in them."""

import numpy as np
import pytest
from tiny import FixedRates, make_arm, make_result

from plateau_cause.diagnosis import reference
from plateau_cause.lab import effort

COSTS = {"head": 1.0, "all": 5.0}
SMALL = {"preprocessing.size": 8, "schedule.epochs": 1}


@pytest.fixture
def probes(monkeypatch):
    """What a probe sees, by input size; returns the mapping, to be changed."""
    seen = {8: 0.5, 16: 0.9, 32: 0.95}
    monkeypatch.setattr(reference, "probed", lambda lab, preprocessing, weights: seen[preprocessing.size])
    return seen


@pytest.fixture
def val_accuracy(monkeypatch):
    """Sets the validation accuracy of every result."""

    def set_to(value):
        monkeypatch.setattr(reference, "validation", lambda lab, result: value)

    set_to(0.6)
    return set_to


def enlarged(lab, **attributes):
    result = make_result(make_arm(SMALL, **attributes), np.ones(18))
    return reference._enlarged(lab, FixedRates(), result)


def test_larger_images_are_tried_where_a_probe_sees_more(make_lab, probes, val_accuracy):
    arm = enlarged(make_lab())
    assert arm.recipe.preprocessing.size == 16
    assert arm.recipe.optimizer.learning_rate == pytest.approx(1e-3)  # at its own optimum


def test_never_larger_than_the_weights_expect(make_lab, probes, val_accuracy):
    probes[16] = 0.5
    assert enlarged(make_lab()) is None  # 32 px is more than the weights' 16


def test_not_where_training_makes_up_for_it(make_lab, probes, val_accuracy):
    val_accuracy(0.92)  # more than frozen features reach on the larger images
    assert enlarged(make_lab()) is None


@pytest.mark.parametrize(
    ("given", "expected", "tried"),
    [(8, 224, [16, 32, 64]), (32, 224, [64]), (64, 224, [128]), (64, 64, []), (224, 224, []), (16, 32, [32])],
)
def test_sizes(given, expected, tried):
    assert reference.larger_sizes(given, expected) == tried


def test_not_where_nothing_is_missing(make_lab, probes, val_accuracy):
    val_accuracy(0.99)
    assert enlarged(make_lab()) is None


def test_not_in_a_network_of_the_users_own(make_lab, probes, val_accuracy):
    assert enlarged(make_lab(), own=frozenset({"model"})) is None


def test_the_best_is_chosen_and_the_cheaper_one_where_equal(make_lab, monkeypatch):
    lab = make_lab()
    head = make_arm({"trainable": "head"})
    results = [make_result(head, np.ones(18), cost) for cost in (3.0, 1.0, 2.0)]
    scores = dict(zip((result.cost for result in results), (0.9, 0.9, 0.8), strict=True))
    monkeypatch.setattr(reference, "validation", lambda lab, result: scores[result.cost])
    assert reference.choose(lab, results).cost == 1.0


@pytest.mark.parametrize(("head", "chosen"), [(0.89, "all"), (0.92, "all"), (0.94, "head")])
def test_every_layer_is_trained_unless_that_is_worse(make_lab, monkeypatch, head, chosen):
    lab = make_lab()
    results = [make_result(make_arm({"trainable": name}), np.ones(18), cost) for name, cost in COSTS.items()]
    scores = {"head": head, "all": 0.9}
    monkeypatch.setattr(reference, "validation", lambda lab, result: scores[result.arm.recipe.trainable])
    assert reference.choose(lab, results).arm.recipe.trainable == chosen


def test_the_rest_is_spared_once_nothing_is_left(make_lab, monkeypatch):
    lab = make_lab()
    monkeypatch.setattr(reference, "FITTED", 0.0)
    monkeypatch.setattr(reference, "MOST_HEAD_EPOCHS", 1)
    monkeypatch.setattr(effort, "FEWEST_EPOCHS", 1)
    monkeypatch.setattr(effort, "FEWEST_IMAGES", 54)
    cases = [(1.0, "head", ["head"]), (0.98, "head", ["head", "all"]), (1.0, "all", ["all"])]
    for accuracy, given, trained in cases:
        monkeypatch.setattr(reference, "validation", lambda lab, result, accuracy=accuracy: accuracy)
        results = reference.train(lab, FixedRates(), make_arm({"trainable": given}))
        assert [result.arm.recipe.trainable for result in results] == trained


@pytest.mark.parametrize(
    ("trainable", "fitted", "rate"), [("all", 0.9, 3e-3), ("all", 0.98, None), ("head", 0.9, None)]
)
def test_what_did_not_fit_its_images_is_tried_at_a_higher_rate(trainable, fitted, rate):
    arm = make_arm({"trainable": trainable, "optimizer.learning_rate": 1e-3})
    faster = reference._faster(make_result(arm, np.ones(18), history=[{"train_accuracy": fitted}]))
    assert (faster and faster.recipe.optimizer.learning_rate) == rate


def test_an_underfitted_reference_gives_way_to_the_faster_one(make_lab, monkeypatch):
    lab = make_lab()
    monkeypatch.setattr(reference, "FITTED", 1.1)  # whatever it reached
    monkeypatch.setattr(reference, "MOST_HEAD_EPOCHS", 1)
    monkeypatch.setattr(effort, "FEWEST_EPOCHS", 1)
    monkeypatch.setattr(effort, "FEWEST_IMAGES", 54)

    def reached(lab, result):
        of_all = result.arm.recipe.trainable == "all"
        return 0.5 + 100 * result.arm.recipe.optimizer.learning_rate * of_all

    monkeypatch.setattr(reference, "validation", reached)
    results = reference.train(lab, FixedRates(), make_arm({"trainable": "all"}))
    rates = [result.arm.recipe.optimizer.learning_rate for result in results]
    assert rates[-1] == pytest.approx(3 * rates[0], rel=0.01)
    assert reference.choose(lab, results).arm == results[-1].arm


@pytest.mark.parametrize(("optimizer", "ratio"), [("adamw", 1.0), ("sgd", 0.5)])
def test_plain_sgd_keeps_away_from_where_it_diverges(make_lab, optimizer, ratio):
    rates = FixedRates()
    arms = reference.candidates(make_lab(), rates, make_arm({"optimizer.name": optimizer}))
    assert [rates.ratio(arm) for arm in arms] == [pytest.approx(ratio)] * 2
