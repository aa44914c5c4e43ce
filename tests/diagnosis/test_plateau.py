"""Flat curves are found flat, rising ones are not, and noise is neither."""

import numpy as np
import pytest

from plateau_cause.diagnosis.plateau import detect, explain

TOLERANCE = 0.03
RISE = [0.3, 0.5, 0.6, 0.66]


class TestDetect:
    def test_flat_after_a_rise(self):
        curve = [*RISE, *[0.7, 0.702, 0.699, 0.701, 0.7, 0.7]]
        found = detect(curve, TOLERANCE)
        assert found.from_epoch in (4, 5)
        assert found.level == pytest.approx(0.7, abs=0.002)
        assert abs(found.change) < 0.01

    def test_flat_from_the_start(self):
        found = detect([0.1] * 5, TOLERANCE)
        assert (found.level, found.from_epoch, found.change) == (0.1, 1, 0.0)

    def test_rising_to_the_end(self):
        found = detect(np.linspace(0.2, 0.8, 10).tolist(), TOLERANCE)
        assert found.from_epoch is None
        assert found.level == pytest.approx(0.8)
        assert found.change > TOLERANCE

    @pytest.mark.parametrize("curve", [[], [0.5], [0.5, 0.5], [0.2, 0.4]])
    def test_too_short_to_tell(self, curve):
        if curve:
            assert detect(curve, TOLERANCE).from_epoch is None

    def test_noise_as_large_as_the_tolerance_is_not_shown_to_be_flat(self):
        curve = np.random.default_rng(0).normal(0.5, 0.1, 5)
        assert detect(curve.tolist(), 0.01).from_epoch is None

    def test_noise_within_the_tolerance_is_flat(self):
        random = np.random.default_rng(0)
        curve = [*RISE, *(0.7 + random.normal(0, 0.004, 12))]
        found = detect(curve, TOLERANCE)
        assert found.from_epoch is not None
        assert found.level == pytest.approx(0.7, abs=0.01)

    def test_a_rise_is_rarely_taken_for_flat(self):
        random = np.random.default_rng(0)
        rising = [np.linspace(0.3, 0.7, 8) + random.normal(0, 0.01, 8) for _ in range(100)]
        flat = [detect(curve.tolist(), TOLERANCE).from_epoch for curve in rising]
        assert sum(epoch is not None and epoch <= 4 for epoch in flat) <= 2


LEVELS = {"chance": 0.1, "majority": 0.12, "linear_probe": 0.72, "reference": None}


class TestExplain:
    @pytest.mark.parametrize(
        ("level", "name"), [(0.10, "chance"), (0.125, "majority"), (0.71, "linear_probe"), (0.4, None)]
    )
    def test_the_nearest_within_noise(self, level, name):
        assert explain(level, LEVELS, 400) == name

    def test_few_images_tell_less(self):
        assert explain(0.6, LEVELS, 20) == "linear_probe"
        assert explain(0.6, LEVELS, 5000) is None

    def test_the_ceiling_has_no_false_neighbours(self):
        assert explain(1.0, {"linear_probe": 0.9}, 400) is None
        assert explain(1.0, {"linear_probe": 0.999}, 400) == "linear_probe"


def test_fewer_than_by_guessing_is_explained_by_no_level():
    levels = {"chance": 0.1, "linear_probe": 0.002}
    assert explain(0.003, levels, 1000) is None
    assert explain(0.095, levels, 1000) == "chance"
