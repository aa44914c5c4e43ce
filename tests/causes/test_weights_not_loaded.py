"""Pretrained weights that never arrived."""

from tiny import make_arm

from plateau_cause.causes.weights_not_loaded import FACTOR
from plateau_cause.lab.arm import OTHER_WEIGHTS


def test_is_swapped_alone(rates, evidence):
    recipe, reference = make_arm(weights="none"), make_arm({"head.dropout": 0.4})
    assert FACTOR.is_different(recipe, reference, rates)
    assert not FACTOR.is_different(reference, reference, rates)
    assert FACTOR.swapped(recipe, reference, rates) == make_arm()
    assert FACTOR.swapped(reference, recipe, rates) == make_arm({"head.dropout": 0.4}, weights="none")
    assert FACTOR.fix(recipe, make_arm()) == {"backbone.weights": "bundled"}
    assert FACTOR.difference(recipe, reference) == "weights: none instead of bundled"
    (sentence,) = FACTOR.explain(recipe, reference, evidence)
    assert "none weights" in sentence and "40%" in sentence and "70%" in sentence


def test_is_likely_wherever_it_differs(evidence):
    assert FACTOR.prior(make_arm(weights="none"), make_arm(), evidence) > 0.5


def test_the_users_own_model_gets_the_weights(rates):
    own = make_arm(weights="none", own=frozenset({"model", "weights"}))
    assert FACTOR.swapped(own, make_arm(), rates) == make_arm(own=frozenset({"model"}))


def test_weights_of_another_architecture_are_not_to_be_swapped(rates):
    own = make_arm(weights=OTHER_WEIGHTS, own=frozenset({"model", "weights"}))
    assert not FACTOR.is_different(own, make_arm(), rates)
    assert not FACTOR.is_different(make_arm(), own, rates)
