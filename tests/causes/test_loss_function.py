"""A loss that does not fit what the model puts out."""

from dataclasses import replace

import pytest
from tiny import make_arm

from plateau_cause.causes.loss_function import FACTOR


@pytest.mark.parametrize("fault", ["nll", "bce", "mse"])
def test_is_swapped_alone(check_factor, fault):
    assert check_factor(FACTOR, {"loss.name": fault}, {"loss.name"}).recipe.loss.name == "cross_entropy"


def test_a_loss_below_zero_is_suspect(evidence):
    below = replace(evidence, train_loss=-50.0)
    assert FACTOR.prior(make_arm(), make_arm(), below) > FACTOR.prior(make_arm(), make_arm(), evidence)
    (sentence,) = FACTOR.explain(make_arm({"loss.name": "nll"}), make_arm(), below)
    assert "log-probabilities" in sentence


def test_the_users_own_loss_gives_way(rates):
    own = make_arm({"loss.name": "as in your file"}, own=frozenset({"loss"}))
    assert FACTOR.swapped(own, make_arm(), rates) == make_arm()
