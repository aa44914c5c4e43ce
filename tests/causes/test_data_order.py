"""Training images that always come in the same order."""

from dataclasses import replace

from tiny import make_arm

from plateau_cause.causes.data_order import FACTOR


def test_is_swapped_alone(rates):
    recipe, reference = make_arm({"shuffle": False}), make_arm({"head.dropout": 0.3})
    assert FACTOR.is_different(recipe, reference, rates)
    assert FACTOR.swapped(recipe, reference, rates) == make_arm()
    assert FACTOR.fix(recipe, make_arm()) == {"recipe.shuffle": True}
    assert FACTOR.difference(recipe, reference) == "shuffle: false instead of true"
    assert not FACTOR.is_different(reference, reference, rates)


def test_suspect_where_neighbours_share_their_class(evidence):
    mixed = replace(evidence, sorted_share=1 / 3)
    assert FACTOR.prior(make_arm(), make_arm(), evidence) > 0.2
    assert FACTOR.prior(make_arm(), make_arm(), mixed) < 0.05


def test_says_how_sorted_the_images_are(evidence):
    (sentence,) = FACTOR.explain(make_arm({"shuffle": False}), make_arm(), evidence)
    assert "90%" in sentence
