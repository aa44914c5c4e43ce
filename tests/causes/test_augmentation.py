"""Augmentation that is too strong, or missing."""

from dataclasses import replace

import pytest
from tiny import make_arm

from plateau_cause.causes.augmentation import FACTOR


@pytest.mark.parametrize("fault", ["strong", "crop_flip", "none"])
def test_is_swapped_alone(check_factor, fault):
    check_factor(FACTOR, {"augmentation": fault}, {"augmentation"}, arm={"augmentation": "flip"})


def test_the_stronger_the_more_suspect(evidence):
    order = ["none", "flip", "crop_flip", "strong"]
    found = [FACTOR.prior(make_arm({"augmentation": name}), make_arm(), evidence) for name in order]
    assert found == sorted(found)


def test_the_users_own_transform_gives_way(rates):
    own = make_arm({"augmentation": "random, as in your file"}, own=frozenset({"transform", "augmentation"}))
    assert FACTOR.swapped(own, make_arm(), rates) == make_arm(own=frozenset({"transform"}))


def test_images_that_cannot_be_learned_make_an_own_transform_suspect(evidence):
    own = make_arm({"augmentation": "random, as in your file"}, own=frozenset({"augmentation"}))
    fits, fails = (replace(evidence, train_loss=loss, num_classes=10) for loss in (0.05, 2.2))
    assert FACTOR.prior(own, make_arm(), fits) < 0.15 and FACTOR.prior(own, make_arm(), fails) > 0.5
