"""Effects: their intervals hold what they promise."""

import numpy as np
import pytest

from plateau_cause.lab.effect import Effect, effect

REPEATS = 1500


def runs(random, n, gained, lost):
    """Returns hits of two runs (n,): shares of the images are gained and lost from one to the other."""
    draw = random.random(n)
    before = np.where(draw < gained, False, np.where(draw < gained + lost, True, random.random(n) < 0.8))
    after = np.where(draw < gained, True, np.where(draw < gained + lost, False, before))
    return before, after


class TestInterval:
    @pytest.mark.parametrize(
        ("n", "gained", "lost"),
        [
            (360, 0.05, 0.05),
            (360, 0.15, 0.15),
            (100, 0.1, 0.1),
            (360, 0.2, 0.05),
            (1000, 0.02, 0.02),
            (60, 0.3, 0.05),
        ],
    )
    def test_covers_the_truth_as_often_as_it_says(self, n, gained, lost):
        random = np.random.default_rng(0)
        found = [effect([runs(random, n, gained, lost)]) for _ in range(REPEATS)]
        covered = np.mean([one.low <= gained - lost <= one.high for one in found])
        assert 0.93 <= covered <= 0.99

    def test_equal_runs_still_have_an_interval(self):
        hit = np.ones(50, bool)
        found = effect([(hit, hit)])
        assert found.mean == 0
        assert found.low < 0 < found.high
        assert not found.decided

    def test_narrows_with_the_number_of_images(self):
        random = np.random.default_rng(0)
        widths = [
            found.high - found.low for n in (50, 500, 5000) for found in [effect([runs(random, n, 0.1, 0.1)])]
        ]
        assert widths == sorted(widths, reverse=True)

    def test_stays_within_what_accuracy_can_change(self):
        found = effect([(np.zeros(4, bool), np.ones(4, bool))])
        assert (found.mean, found.high) == (1.0, 1.0)
        assert found.low < 1.0


def hits(*numbers):
    return np.array(numbers, float)


class TestMean:
    def test_of_one_pair(self):
        assert effect([(hits(0, 0, 1, 1), hits(1, 1, 1, 0))]).mean == 0.25

    def test_of_seeds(self):
        pairs = [(hits(0, 0), hits(1, 1)), (hits(0, 0), hits(0, 0))]
        assert effect(pairs).mean == 0.5

    def test_breaking_is_the_reverse_of_fixing(self):
        pair = runs(np.random.default_rng(0), 200, 0.2, 0.1)
        forth, back = effect([pair]), effect([pair[::-1]])
        assert (forth.mean, forth.low, forth.high) == pytest.approx((-back.mean, -back.high, -back.low))


def test_probability():
    found = Effect(0.1, 0.05, 0.0, 0.2)
    assert found.probability(0.1) == pytest.approx(0.5)
    assert found.probability(0.0) == pytest.approx(0.977, abs=1e-3)
    assert found.probability(0.2) == pytest.approx(0.023, abs=1e-3)
