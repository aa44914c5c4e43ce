"""An optimiser that does not hold the parameters that should move."""

import pytest
from tiny import make_arm

from plateau.causes.optimizer_parameters import FACTOR


@pytest.mark.parametrize("fault", ["head", "backbone"])
def test_is_swapped_alone(check_factor, fault):
    check_factor(FACTOR, {"optimizer.parameters": fault}, {"optimizer.parameters"})


def test_the_head_alone_is_enough_where_the_head_alone_moves():
    head = {"optimizer.parameters": "head"}
    assert not FACTOR.acts(make_arm({**head, "trainable": "head"}))
    assert FACTOR.acts(make_arm({**head, "trainable": "all"}))
    assert FACTOR.acts(make_arm({"optimizer.parameters": "backbone", "trainable": "head"}))


def test_suspect(evidence):
    arm = make_arm({"optimizer.parameters": "part"})
    assert FACTOR.suspicion(arm, make_arm(), evidence) > 0.5 * evidence.gap


def test_the_users_own_choice_gives_way(rates):
    own = make_arm({"optimizer.parameters": "part"}, own=frozenset({"optimizer", "parameters"}))
    assert FACTOR.swapped(own, make_arm(), rates) == make_arm(own=frozenset({"optimizer"}))


def test_a_rate_that_only_suited_the_head_badly_stays_as_it_is(rates):
    held = make_arm({"optimizer.parameters": "head", "trainable": "all"})
    sound = make_arm({"trainable": "all"})
    assert rates.ratio(held) < rates.ratio(sound)
    assert FACTOR.swapped(held, sound, rates) == sound


def test_a_rate_that_would_be_far_too_hot_comes_down(rates):
    held = {"optimizer.parameters": "head", "trainable": "all", "optimizer.learning_rate": 1e-2}
    swapped = FACTOR.swapped(make_arm(held), make_arm({"trainable": "all"}), rates)
    assert swapped == make_arm({"trainable": "all", "optimizer.learning_rate": 1e-3})


def test_a_rate_of_nothing_is_no_error(rates):
    nothing = make_arm({"optimizer.parameters": "head", "trainable": "all", "optimizer.learning_rate": 0.0})
    swapped = FACTOR.swapped(nothing, make_arm({"trainable": "all"}), rates)
    assert swapped.recipe.optimizer.learning_rate == 0.0
