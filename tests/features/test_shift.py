"""One contract for every two-sample test: silent without a shift, certain of one, repeatable."""

import numpy as np
import pytest

from plateau_cause.features import shift

TESTS = [shift.mmd, shift.classifier_test]


def samples(n, m, distance, seed, width=20):
    generator = np.random.default_rng(seed)
    direction = generator.normal(size=width)
    first, second = generator.normal(size=(n, width)), generator.normal(size=(m, width))
    return first, second + distance * direction / np.linalg.norm(direction)


@pytest.mark.parametrize("test", TESTS)
class TestContract:
    @pytest.mark.parametrize("sizes", [(60, 60), (150, 50)])
    def test_p_values_are_uniform_without_a_shift(self, test, sizes):
        p_values = np.array(
            [test(*samples(*sizes, 0.0, seed), permutations=99).p_value for seed in range(40)]
        )
        assert (p_values <= 0.05).sum() <= 6  # binomial(40, 0.05): 7 or more once in 300 times
        assert 0.3 < p_values.mean() < 0.7
        assert p_values.min() >= 0.01

    @pytest.mark.parametrize("distance", [1.5, 2.0])
    def test_a_shift_of_one_to_two_standard_deviations_is_found(self, test, distance):
        for seed in range(3):
            assert test(*samples(200, 150, distance, seed)).p_value <= 0.01

    def test_the_same_seed_gives_the_same_p_value(self, test):
        pair = samples(50, 60, 0.3, 0)
        assert test(*pair, seed=3) == test(*pair, seed=3) or np.isnan(test(*pair).interval[0])
        assert test(*pair, seed=3).p_value == test(*pair, seed=3).p_value


def test_mmd_equals_its_definition():
    first, second = samples(12, 9, 1.0, 0, width=3)
    pool = np.concatenate([first, second])
    squared = ((pool[:, None] - pool[None]) ** 2).sum(2)
    kernel = np.exp(-squared / (2 * np.median(squared[np.triu_indices(21, 1)])))
    np.fill_diagonal(kernel, 0)
    expected = (
        kernel[:12, :12].sum() / (12 * 11) + kernel[12:, 12:].sum() / (9 * 8) - 2 * kernel[:12, 12:].mean()
    )
    assert shift.mmd(first, second).statistic == pytest.approx(expected, abs=1e-5)


def test_auc_grows_with_the_shift_and_its_interval_covers_it():
    weak, strong = (shift.classifier_test(*samples(200, 200, d, 0)) for d in (0.5, 2.0))
    assert weak.statistic < strong.statistic
    assert strong.interval[0] < strong.statistic < strong.interval[1]
    # Phi(2 / sqrt(2)) = 0.92 for the best classifier
    assert strong.statistic == pytest.approx(0.91, abs=0.05)


@pytest.mark.parametrize("distance", [0.0, 1.0, 3.0])
def test_the_distance_is_debiased(distance):
    found = [shift.mean_distance(*samples(200, 300, distance, seed)) for seed in range(10)]
    assert np.mean(found) == pytest.approx(distance, abs=0.25)


def test_a_pooled_reducer_keeps_the_null_in_many_dimensions():
    p_values = []
    for seed in range(10):
        first, second = samples(80, 80, 0.0, seed, width=600)
        p_values.append(shift.compare(first, second).mmd.p_value)
    assert min(p_values) > 0.01
    assert sum(p <= 0.05 for p in p_values) <= 2


def test_the_shifted_class_is_named():
    generator = np.random.default_rng(0)
    targets = np.repeat([0, 1, 2], 60)
    first, second = generator.normal(size=(180, 10)), generator.normal(size=(180, 10))
    second[targets == 1] += 1.0
    found = shift.per_class(first, second, targets, targets)
    assert found[1].p_value <= 0.02
    assert found[0].p_value > 0.05 and found[2].p_value > 0.05


def test_a_class_with_too_few_images_is_left_out():
    targets = np.array([0] * 20 + [1] * 3)
    x = np.random.default_rng(0).normal(size=(23, 4))
    assert list(shift.per_class(x, x + 1, targets, targets)) == [0]
