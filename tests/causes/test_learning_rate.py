"""A learning rate too low or too high for what it drives."""

from dataclasses import replace

import pytest
from tiny import make_arm

from plateau_cause.causes.learning_rate import FACTOR

RATE = {"optimizer.learning_rate"}


@pytest.mark.parametrize(
    ("rate", "cause"), [(1e-5, "learning_rate_low"), (5e-4, "learning_rate_low"), (0.1, "learning_rate_high")]
)
def test_is_swapped_alone(check_factor, rates, rate, cause):
    swapped = check_factor(FACTOR, {"optimizer.learning_rate": rate}, RATE, cause)
    assert rates.ratio(swapped) == pytest.approx(1.0)


def test_nobody_tunes_finer_than_a_tenth_of_a_decade(rates):
    assert not FACTOR.is_different(make_arm({"optimizer.learning_rate": 1.2e-3}), make_arm(), rates)
    assert FACTOR.is_different(make_arm({"optimizer.learning_rate": 1.3e-3}), make_arm(), rates)


def test_rates_are_compared_by_what_they_move(rates):
    head = make_arm({"trainable": "head", "optimizer.learning_rate": 1e-2})
    assert not FACTOR.is_different(head, make_arm(), rates)
    same_number = make_arm({"trainable": "head"})
    assert FACTOR.is_different(same_number, make_arm(), rates)
    assert "optimizer.learning_rate: the same number" in FACTOR.difference(same_number, make_arm())


def test_optimizer_and_schedule_come_along(check_factor, rates):
    fault = {
        "optimizer.name": "sgd",
        "optimizer.learning_rate": 1e-4,
        "schedule.name": "cosine",
        "schedule.warmup": 0.5,
    }
    taken = {*RATE, "optimizer.name", "schedule.name", "schedule.warmup", "optimizer.weight_decay"}
    recipe, reference = make_arm(fault), make_arm()
    swapped = FACTOR.swapped(recipe, reference, rates)
    assert rates.ratio(swapped) == pytest.approx(1.0)
    assert set(FACTOR.fix(recipe, swapped)) == {f"recipe.{key}" for key in taken - {"optimizer.weight_decay"}}
    # Both shrink their weights by rate times decay in every step: that product stays the recipe's own.
    shrink = swapped.recipe.optimizer.learning_rate * swapped.recipe.optimizer.weight_decay
    assert shrink == pytest.approx(
        recipe.recipe.optimizer.learning_rate * recipe.recipe.optimizer.weight_decay, rel=0.01
    )


def test_adam_and_adamw_decay_in_another_way(rates):
    recipe = make_arm({"optimizer.name": "adam", "optimizer.weight_decay": 0.02})
    assert FACTOR.swapped(recipe, make_arm(), rates).recipe.optimizer.weight_decay == 0.02


def test_momentum_means_nothing_to_adam(rates):
    assert not FACTOR.is_different(make_arm({"optimizer.momentum": 0.1}), make_arm(), rates)
    sgd = {"optimizer.name": "sgd", "optimizer.learning_rate": 0.02}
    assert FACTOR.is_different(make_arm({**sgd, "optimizer.momentum": 0.1}), make_arm(sgd), rates)


def test_acts_also_where_nothing_moves_yet():
    assert FACTOR.acts(make_arm({"trainable": "none"}))


def test_the_further_off_the_more_suspect(evidence):
    found = [
        FACTOR.prior(make_arm(), make_arm(), replace(evidence, rate_ratio=ratio))
        for ratio in (1.0, 0.3, 0.03, 0.0)
    ]
    assert found == sorted(found)
    above = FACTOR.prior(make_arm(), make_arm(), replace(evidence, rate_ratio=1 / 0.03))
    assert above == pytest.approx(found[2])


@pytest.mark.parametrize(("ratio", "words"), [(0.05, "20 times below"), (30.0, "30 times above")])
def test_says_how_far(evidence, ratio, words):
    (sentence,) = FACTOR.explain(make_arm(), make_arm(), replace(evidence, rate_ratio=ratio))
    assert words in sentence


def test_the_users_own_optimizer_gives_way(rates):
    own = make_arm(
        {"optimizer.learning_rate": 0.1}, own=frozenset({"optimizer", "learning_rate", "weight_decay"})
    )
    swapped = FACTOR.swapped(own, make_arm(), rates)
    assert swapped.own == {"weight_decay"}
