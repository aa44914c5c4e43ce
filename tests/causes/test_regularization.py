"""Weight decay, dropout, label smoothing that outweigh the data."""

import pytest
from tiny import make_arm

from plateau_cause.causes.regularization import FACTOR, KEYS

STRONG = {"optimizer.weight_decay": 1.0, "head.dropout": 0.9, "loss.label_smoothing": 0.6}


def test_every_key_is_planted():
    assert set(STRONG) == set(KEYS)


@pytest.mark.parametrize("key", STRONG)
def test_is_swapped_alone(check_factor, key):
    check_factor(FACTOR, {key: STRONG[key]}, {key})


@pytest.mark.parametrize("key", STRONG)
def test_strong_is_suspect_and_usual_is_not(evidence, key):
    strong = FACTOR.prior(make_arm({key: STRONG[key]}), make_arm(), evidence)
    assert strong > 10 * FACTOR.prior(make_arm(), make_arm(), evidence)


def test_the_users_own_values_give_way(rates):
    own = make_arm({"head.dropout": 0.9}, own=frozenset({"model", "dropout", "weight_decay"}))
    assert FACTOR.swapped(own, make_arm(), rates) == make_arm(own=frozenset({"model"}))
