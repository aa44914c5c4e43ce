"""Too few optimiser steps, or too many."""

from dataclasses import replace

import pytest
from tiny import make_arm

from plateau_cause.causes.training_length import FACTOR


@pytest.mark.parametrize(("epochs", "batch_size"), [(1, 16), (40, 16), (2, 64)])
def test_is_swapped_alone(check_factor, epochs, batch_size):
    sound = {"schedule.epochs": 2, "batch_size": 16}
    fault = {"schedule.epochs": epochs, "batch_size": batch_size}
    check_factor(FACTOR, fault, {key for key in fault if fault[key] != sound[key]}, arm=sound)


def test_the_kept_epoch_comes_along(rates):
    recipe, reference = (
        make_arm({"schedule.epochs": 1}),
        make_arm({"schedule.epochs": 9, "schedule.keep": "best"}),
    )
    assert FACTOR.swapped(recipe, reference, rates) == reference
    assert (
        FACTOR.difference(recipe, reference)
        == "schedule.epochs: 1 instead of 9; schedule.keep: last instead of best"
    )


@pytest.mark.parametrize(("epochs", "batch_size"), [(4, 32), (2, 20), (3, 18)])
def test_about_as_many_steps_are_no_difference(rates, epochs, batch_size):
    arm = make_arm({"schedule.epochs": epochs, "batch_size": batch_size})
    assert not FACTOR.is_different(arm, make_arm({"schedule.epochs": 2, "batch_size": 16}), rates)


def test_few_steps_are_suspect(evidence):
    enough = replace(evidence, steps_ratio=2.0)
    assert FACTOR.prior(make_arm(), make_arm(), evidence) > FACTOR.prior(make_arm(), make_arm(), enough)


def test_acts_also_where_nothing_moves_yet():
    assert FACTOR.acts(make_arm({"trainable": "none"}))


def test_says_how_many(evidence):
    (sentence,) = FACTOR.explain(make_arm(), make_arm(), evidence)
    assert "0.2 times" in sentence and "2 epochs at batch size 16" in sentence
