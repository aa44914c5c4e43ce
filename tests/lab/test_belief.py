"""Mixtures of Gaussians over one number."""

import numpy as np
import pytest
from scipy.stats import norm

from plateau_cause.lab.belief import Belief

ONE = Belief(np.ones(1), np.array([0.1]), np.array([0.02]))
TWO = Belief(np.array([0.25, 0.75]), np.array([0.0, 0.2]), np.array([0.01, 0.03]))


def test_one_gaussian_is_itself():
    assert ONE.mean == pytest.approx(0.1)
    assert ONE.probability(0.1) == pytest.approx(0.5)
    assert ONE.probability(0.12) == pytest.approx(norm.sf(1))
    assert ONE.interval() == pytest.approx((0.1 - 1.96 * 0.02, 0.1 + 1.96 * 0.02), abs=2e-5)


def test_a_mixture_is_the_weighted_mean():
    assert TWO.mean == pytest.approx(0.15)
    for at in (-0.01, 0.05, 0.1, 0.22):
        assert TWO.probability(at) == pytest.approx(
            0.25 * norm.sf(at, 0.0, 0.01) + 0.75 * norm.sf(at, 0.2, 0.03)
        )


@pytest.mark.parametrize("belief", [ONE, TWO], ids=["one", "two"])
@pytest.mark.parametrize("below", [0.025, 0.2, 0.5, 0.975])
def test_a_quantile_is_what_so_much_lies_below(belief, below):
    assert 1 - belief.probability(belief.quantile(below)) == pytest.approx(below, abs=1e-3)


def test_an_interval_holds_what_it_promises():
    draws = np.random.default_rng(0)
    which = draws.random(20_000) < 0.25
    numbers = np.where(which, draws.normal(0.0, 0.01, 20_000), draws.normal(0.2, 0.03, 20_000))
    for confidence in (0.5, 0.8, 0.95):
        low, high = TWO.interval(confidence)
        assert ((low <= numbers) & (numbers <= high)).mean() == pytest.approx(confidence, abs=0.01)


@pytest.mark.parametrize("factor", [2.0, 0.5, -1.0, 0.0])
def test_so_many_times(factor):
    found = TWO.times(factor)
    assert found.mean == pytest.approx(factor * TWO.mean)
    low, high = found.interval()
    ends = sorted(factor * end for end in TWO.interval())
    assert (low, high) == pytest.approx(tuple(ends), abs=1e-4)


def test_no_rounding_makes_a_probability_of_more_than_one():
    weight = np.array([0.1] * 3 + [0.7]) * (1 + 4e-16)
    assert weight.sum() > 1
    assert Belief(weight, np.full(4, 0.5), np.full(4, 1e-3)).probability(0.1) == 1.0
