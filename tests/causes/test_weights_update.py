"""What a user's own network does between its layers."""

from dataclasses import replace

from tiny import make_arm

from plateau_cause.causes.weights_update import FACTOR
from plateau_cause.lab.arm import OTHER_WEIGHTS, pieces_of

OWN = pieces_of(("build_model", "optimizer", "transform"))


def test_the_declared_network_takes_its_place_with_what_was_read_off_it(rates):
    recipe = make_arm({"trainable": "all", "optimizer.learning_rate": 0.02}, own=OWN)
    reference = make_arm()
    assert FACTOR.is_different(recipe, reference, rates) and FACTOR.acts(recipe)
    swapped = FACTOR.swapped(recipe, reference, rates)
    assert swapped.own == pieces_of(("transform",))
    assert swapped.recipe == recipe.recipe


def test_what_cannot_be_declared_is_taken_from_the_reference(rates):
    recipe = make_arm({"trainable": "part", "optimizer.name": "lion"}, own=OWN)
    swapped = FACTOR.swapped(recipe, make_arm(), rates)
    assert (swapped.recipe.trainable, swapped.recipe.optimizer.name) == ("all", "adamw")


def test_two_arms_with_the_network_do_not_differ(rates):
    recipe, reference = make_arm(own=OWN), make_arm(own=frozenset({"model"}))
    assert not FACTOR.is_different(recipe, reference, rates)
    assert FACTOR.swapped(recipe, reference, rates) == recipe


def test_another_architecture_is_another_question():
    assert not FACTOR.acts(make_arm(weights=OTHER_WEIGHTS, own=OWN))


def test_names_what_no_gradient_reaches(evidence):
    cut = replace(evidence, unreached=("encoder.a", "encoder.b", "encoder.c", "encoder.d"))
    said = FACTOR.explain(make_arm(own=OWN), make_arm(), cut)
    assert "encoder.a, encoder.b, encoder.c and 1 more" in said[1]
    assert len(FACTOR.explain(make_arm(own=OWN), make_arm(), evidence)) == 1
    assert FACTOR.prior(make_arm(own=OWN), make_arm(), cut) > FACTOR.prior(
        make_arm(own=OWN), make_arm(), evidence
    )
