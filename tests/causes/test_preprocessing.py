"""Preprocessing other than what the weights were trained on."""

from dataclasses import replace

import pytest
from tiny import make_arm

from plateau_cause.causes.preprocessing import FACTOR

FAULTS = {
    "scale": "byte",
    "mean": None,
    "std": None,
    "channels": "bgr",
    "resize": "crop",
    "interpolation": "nearest",
}


@pytest.mark.parametrize("key", FAULTS)
def test_is_swapped_alone(check_factor, key):
    check_factor(FACTOR, {f"preprocessing.{key}": FAULTS[key]}, {f"preprocessing.{key}"})


def test_several_at_once(check_factor):
    faults = {f"preprocessing.{key}": value for key, value in FAULTS.items()}
    check_factor(FACTOR, faults, set(faults))


def test_suspect_by_what_the_probes_lose(evidence):
    head, every = make_arm({"trainable": "head"}), make_arm()
    loses = replace(evidence, probe_recipe=0.65)  # 5 points behind the canonical preprocessing
    nothing = replace(evidence, probe_recipe=0.7)
    assert FACTOR.prior(head, make_arm(), loses) > FACTOR.prior(head, make_arm(), nothing) + 0.2
    assert FACTOR.prior(every, make_arm(), nothing) == FACTOR.prior(head, make_arm(), nothing)


def test_fine_tuning_every_layer_repairs_some_of_it(evidence):
    loses = replace(evidence, probe_recipe=0.65)
    head, every = make_arm({"trainable": "head"}), make_arm()
    assert FACTOR.prior(every, make_arm(), loses) < FACTOR.prior(head, make_arm(), loses)


def test_difference_in_words():
    arm = make_arm({"preprocessing.mean": None})
    assert FACTOR.difference(arm, make_arm()) == "preprocessing.mean: null instead of [0.4, 0.5, 0.6]"
    assert FACTOR.fix(arm, make_arm()) == {"recipe.preprocessing.mean": [0.4, 0.5, 0.6]}


def test_the_users_own_transform_gives_way(rates):
    own = make_arm({"preprocessing.scale": "as in your file"}, own=frozenset({"transform"}))
    assert FACTOR.swapped(own, make_arm(), rates) == make_arm()
