import numpy as np
import pytest

from plateau_cause.features.learning_curve import extrapolate, learning_curve

SIZES = np.array([50, 100, 200, 400, 800])


def hits_of(errors, images=4000, repeats=3, seed=0):
    uniform = np.random.default_rng(seed).uniform(size=(1, 1, images))  # the same hard images at every size
    return np.broadcast_to(
        uniform >= np.asarray(errors)[:, None, None], (len(errors), repeats, images)
    ).copy()


def test_a_power_law_is_carried_on():
    curve = extrapolate(SIZES, hits_of(2.0 * SIZES**-0.5), np.random.default_rng(0))
    truth = 1 - 2.0 * 1600**-0.5
    assert curve.forecast[0] - 0.01 <= truth <= curve.forecast[1] + 0.01
    assert curve.gain_interval[0] > 0.005


def test_a_floor_is_bracketed():
    curve = extrapolate(SIZES, hits_of(4.0 * SIZES**-0.7 + 0.1), np.random.default_rng(0))
    truth = 1 - (4.0 * 1600**-0.7 + 0.1)
    assert curve.forecast[0] - 0.01 <= truth <= curve.forecast[1] + 0.01
    assert curve.forecast[0] < curve.forecast[1]


def test_a_flat_curve_promises_nothing():
    curve = extrapolate(SIZES, hits_of(np.full(5, 0.2)), np.random.default_rng(0))
    assert curve.gain[0] == pytest.approx(0.0, abs=0.01)
    assert curve.gain_interval[0] < 0.005


def test_digits_from_few_images():
    from sklearn.datasets import load_digits

    data = load_digits()
    features, targets = data.data.astype(np.float32), data.target
    few = learning_curve(features, targets, np.arange(150), np.arange(900, 1797), 10, 0.1)
    many = learning_curve(features, targets, np.arange(1200), np.arange(1200, 1797), 10, 0.1)
    assert few.sizes[-1] == 150
    assert few.gain[0] > many.gain[0]
    assert few.gain[0] > 0.01
    again = learning_curve(features, targets, np.arange(150), np.arange(900, 1797), 10, 0.1)
    assert again.gain_interval == few.gain_interval
