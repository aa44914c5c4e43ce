"""Planted pairs of models: which one is deployed, and what the line says."""

import numpy as np
import pytest

from plateau_cause.retraining.decision import STATUS, Candidate, Comparison, compare, decide


def hits(right, of=100):
    return np.arange(of) < right


def decided(before, after, causes=(), known=(), of=100):
    compared = compare(hits(before, of), hits(after, of), np.ones(of, bool))
    return decide(Candidate("2", tuple(causes)), Candidate("1", tuple(known)), compared)


def test_better_by_more_than_noise_is_promoted():
    found = decided(70, 90)
    assert (found.outcome, found.status, found.promote) == ("better", 0, True)
    assert "90% instead of 70% of version 1 on 100 test images (+20 points [" in found.reason


@pytest.mark.parametrize(("before", "after"), [(70, 72), (70, 70), (90, 70)])
def test_within_noise_or_worse_is_not(before, after):
    found = decided(before, after)
    assert (found.outcome, found.status, found.promote) == ("not_better", 3, False)


@pytest.mark.parametrize(
    ("before", "after", "is_worse"),
    [(90, 70, True), (100, 0, True), (90, 81, True), (70, 69, False), (70, 70, False), (70, 72, False)],
)
def test_what_is_surely_worse_is_called_worse(before, after, is_worse):
    found = decided(before, after)
    effect = compare(hits(before), hits(after), np.ones(100, bool)).effect
    assert (effect.high < 0) == is_worse
    assert ("version 2 is worse: " in found.reason) == is_worse
    assert ("not better by more than noise" in found.reason) != is_worse


def test_worse_names_a_new_cause_too():
    found = decided(90, 70, causes=("label_noise",))
    assert (found.outcome, found.promote) == ("not_better", False)
    assert found.reason.endswith("and a new plateau cause: label_noise")


def test_the_same_gain_on_a_few_images_is_noise():
    assert decided(7, 9, of=10).outcome == "not_better"


def test_a_new_cause_holds_back_what_is_better():
    found = decided(70, 90, causes=("label_noise", "frozen_layers"), known=("frozen_layers",))
    assert (found.outcome, found.status, found.promote) == ("new_cause", 4, False)
    assert "a new plateau cause: label_noise; otherwise 90%" in found.reason


def test_a_cause_that_the_champion_has_too_does_not():
    assert decided(70, 90, causes=("frozen_layers",), known=("frozen_layers", "head")).promote


def test_not_better_comes_first_and_names_the_cause_too():
    found = decided(70, 71, causes=("label_noise",))
    assert found.outcome == "not_better"
    assert found.reason.endswith("and a new plateau cause: label_noise")


def test_without_a_champion_the_first_is_promoted_whatever_its_diagnosis():
    found = decide(Candidate("1", ("frozen_layers",)), None, None)
    assert (found.outcome, found.status, found.promote) == ("first", 0, True)


def test_the_deployed_model_itself_is_not_promoted_again():
    found = decide(Candidate("1", ()), Candidate("1", ()), None)
    assert (found.outcome, found.status, found.promote) == ("unchanged", 0, False)


def test_images_that_the_champion_learned_from_do_not_count():
    champion, challenger, fair = hits(60), hits(100), np.arange(100) >= 50
    found = compare(champion, challenger, fair)
    assert (found.test_images, found.compared) == (100, 50)
    assert (found.champion_accuracy, found.challenger_accuracy) == (0.2, 1.0)
    assert found.effect.mean == pytest.approx(0.8)


def test_nothing_left_to_compare_is_no_reason_to_promote():
    found = compare(hits(60), hits(100), np.zeros(100, bool))
    assert found == Comparison(100, 0, None, None, None)
    decision = decide(Candidate("2", ()), Candidate("1", ()), found)
    assert decision.outcome == "not_better"
    assert "learned from every test image of today" in decision.reason


def test_a_status_tells_failure_and_mistake_from_a_decision():
    assert not {1, 2} & set(STATUS.values())
    assert STATUS["not_better"] != STATUS["new_cause"]
