"""Layers frozen that should move, or moved that should rest."""

from dataclasses import replace

import pytest
from tiny import make_arm

from plateau_cause.causes.frozen_layers import FACTOR


@pytest.mark.parametrize("fault", ["none", "head"])
def test_thawed_with_its_rate_and_the_others_batch_norm(check_factor, rates, fault):
    values = {"trainable": fault, "batch_norm": "train", "optimizer.learning_rate": 0.05}
    sound = {"trainable": "all", "batch_norm": "frozen"}
    swapped = check_factor(FACTOR, values, {"trainable", "batch_norm", "optimizer.learning_rate"}, arm=sound)
    assert swapped.recipe.trainable == "all"
    assert swapped.recipe.batch_norm == "frozen"
    assert rates.ratio(swapped) == pytest.approx(5)


def test_thawed_under_its_own_rate_where_that_suits_what_moves_now(check_factor):
    check_factor(FACTOR, {"trainable": "head", "optimizer.learning_rate": 1e-3}, {"trainable"})


def test_a_mode_that_was_chosen_stays(check_factor):
    swapped = check_factor(FACTOR, {"trainable": "last_block"}, {"trainable"})
    assert swapped.recipe.batch_norm == "train"


def test_frozen_in_the_reference(rates):
    reference = make_arm({"trainable": "all", "optimizer.learning_rate": 1e-3})
    frozen = make_arm({"trainable": "head", "optimizer.learning_rate": 1e-2})
    broken = FACTOR.swapped(reference, frozen, rates)
    assert broken.recipe.trainable == "head"
    assert rates.ratio(broken) == pytest.approx(rates.ratio(reference))


def test_nothing_that_moves_is_the_first_suspect(evidence):
    nothing = FACTOR.prior(make_arm({"trainable": "none"}), make_arm(), evidence)
    head = FACTOR.prior(make_arm({"trainable": "head"}), make_arm(), evidence)
    enough = FACTOR.prior(make_arm({"trainable": "head"}), make_arm(), replace(evidence, probe_canonical=0.9))
    assert nothing > head > enough


def test_says_what_moves(evidence):
    (sentence,) = FACTOR.explain(make_arm({"trainable": "head"}), make_arm(), evidence)
    assert sentence.startswith("The recipe moves only the head;")
    (sentence,) = FACTOR.explain(make_arm({"trainable": "part"}), make_arm(), evidence)
    assert "part of the network" in sentence


def test_the_users_own_freezing_gives_way(rates):
    own = make_arm({"trainable": "part"}, own=frozenset({"model", "trainable", "batch_norm"}))
    swapped = FACTOR.swapped(own, make_arm(own=frozenset({"model"})), rates)
    assert "trainable" not in swapped.own
    assert swapped.recipe.trainable == "all"
