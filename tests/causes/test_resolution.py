"""Too few pixels."""

from tiny import make_arm

from plateau_cause.causes.resolution import FACTOR


def test_is_swapped_alone(check_factor):
    swapped = check_factor(FACTOR, {"preprocessing.size": 8}, {"preprocessing.size"})
    assert swapped.recipe.preprocessing.size == 16


def test_says_both_sizes(evidence):
    (sentence,) = FACTOR.explain(make_arm({"preprocessing.size": 8}), make_arm(), evidence)
    assert "8 px" in sentence and "16 px" in sentence
