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
    arm = make_arm({"trainable": "head"})
    assert FACTOR.suspicion(arm, make_arm(), evidence) == pytest.approx(0.21)
    assert FACTOR.suspicion(arm, make_arm(), replace(evidence, probe_recipe=0.7)) == pytest.approx(0.01)
    assert FACTOR.suspicion(make_arm(), make_arm(), evidence) == pytest.approx(
        0.11
    )  # fine-tuning repairs half


def test_difference_in_words():
    arm = make_arm({"preprocessing.mean": None})
    assert FACTOR.difference(arm, make_arm()) == "preprocessing.mean: null instead of [0.4, 0.5, 0.6]"
    assert FACTOR.fix(arm, make_arm()) == {"recipe.preprocessing.mean": [0.4, 0.5, 0.6]}


def test_the_users_own_transform_gives_way(rates):
    own = make_arm({"preprocessing.scale": "as in your file"}, own=frozenset({"transform"}))
    assert FACTOR.swapped(own, make_arm(), rates) == make_arm()
