"""A softmax too many, a ReLU on the logits."""

import pytest
from tiny import make_arm

from plateau_cause.causes.head import FACTOR


@pytest.mark.parametrize("fault", ["softmax", "relu"])
def test_is_swapped_alone(check_factor, fault):
    swapped = check_factor(FACTOR, {"head.activation": fault}, {"head.activation"})
    assert swapped.recipe.head.activation is None


def test_says_where_the_loss_must_stop(evidence):
    (sentence,) = FACTOR.explain(make_arm({"head.activation": "softmax"}), make_arm(), evidence)
    assert "cannot fall below 0.551 for 3 classes; it stopped at 1.000" in sentence
    (sentence,) = FACTOR.explain(make_arm({"head.activation": "relu"}), make_arm(), evidence)
    assert "relu" in sentence


def test_the_users_own_softmax_is_cut_off(rates):
    own = make_arm({"head.activation": "softmax"}, own=frozenset({"model", "activation"}))
    assert FACTOR.swapped(own, make_arm(), rates) == make_arm(own=frozenset({"model"}))
