"""Gradients that nobody clears."""

from tiny import make_arm

from plateau_cause.causes.training_loop import FACTOR

OWN = frozenset({"optimizer", "clearing"})


def test_is_swapped_alone(rates, evidence):
    recipe, reference = make_arm(own=OWN), make_arm()
    assert FACTOR.is_different(recipe, reference, rates)
    assert FACTOR.swapped(recipe, reference, rates) == make_arm(own=frozenset({"optimizer"}))
    assert FACTOR.swapped(reference, recipe, rates) == make_arm(own=frozenset({"clearing"}))
    assert not FACTOR.is_different(reference, make_arm(own=frozenset({"optimizer"})), rates)
    (sentence,) = FACTOR.explain(recipe, reference, evidence)
    assert "zero_grad()" in sentence
    assert "zero_grad()" in FACTOR.fix(recipe, reference)["recipe.code"]
