"""Batch norm on batch statistics, or frozen."""

from dataclasses import replace

import pytest
from tiny import make_arm

from plateau_cause.causes.batch_norm import FACTOR


@pytest.mark.parametrize(("fault", "sound"), [("train", "frozen"), ("frozen", "train")])
def test_is_swapped_alone(check_factor, fault, sound):
    check_factor(FACTOR, {"batch_norm": fault}, {"batch_norm"}, arm={"batch_norm": sound})


@pytest.mark.parametrize(
    ("trainable", "own", "acts"),
    [
        ("all", (), True),
        ("last_block", (), True),
        ("head", (), False),
        ("none", (), False),
        ("head", ("batch_norm",), True),
    ],
)
def test_acts_where_such_layers_train(trainable, own, acts):
    assert FACTOR.acts(make_arm({"trainable": trainable}, own=frozenset(own))) is acts


def test_suspect_where_the_loss_fell_but_eval_mode_does_not_show_it(evidence):
    fits = replace(evidence, train_loss=0.1, train_accuracy=0.5)
    assert FACTOR.prior(make_arm(), make_arm(), fits) > FACTOR.prior(make_arm(), make_arm(), evidence)


def test_the_users_own_modes_give_way(rates):
    own = make_arm({"batch_norm": "train, in frozen layers too"}, own=frozenset({"batch_norm", "model"}))
    swapped = FACTOR.swapped(own, make_arm({"batch_norm": "frozen"}), rates)
    assert (swapped.own, swapped.recipe.batch_norm) == ({"model"}, "frozen")
