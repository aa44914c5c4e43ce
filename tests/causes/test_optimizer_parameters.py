"""An optimiser that does not hold the parameters that should move."""

import pytest
from tiny import make_arm

from plateau_cause.causes.optimizer_parameters import FACTOR


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
    assert FACTOR.prior(arm, make_arm(), evidence) >= 0.5


def test_the_users_own_choice_gives_way(rates):
    own = make_arm({"optimizer.parameters": "part"}, own=frozenset({"optimizer", "parameters"}))
    assert FACTOR.swapped(own, make_arm(), rates) == make_arm(own=frozenset({"optimizer"}))


ONLY_HEAD = {"optimizer.parameters": "head", "trainable": "all"}


@pytest.mark.parametrize(
    ("given", "corrected"),
    [(1e-5, 1e-5), (1e-3, 1e-3), (5e-3, 1e-3), (0.05, 5e-3), (0.0, 0.0)],
    ids=["too cold", "its number", "the reference's", "too hot", "nothing"],
)
def test_a_rate_chosen_for_the_wrong_parameters_is_not_held_against_the_recipe(rates, given, corrected):
    held = make_arm({**ONLY_HEAD, "optimizer.learning_rate": given})
    sound = make_arm({"trainable": "all", "optimizer.learning_rate": 1e-3})
    swapped = FACTOR.swapped(held, sound, rates)
    assert swapped == make_arm({"trainable": "all", "optimizer.learning_rate": corrected})
