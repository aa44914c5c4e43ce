import time

import numpy as np
import pytest

from plateau_cause.errors import PlateauError
from plateau_cause.features import probes


@pytest.fixture(scope="module")
def digits():
    from sklearn.datasets import load_digits

    data = load_digits()
    order = np.random.default_rng(0).permutation(len(data.target))
    return (
        data.data.astype(np.float32),
        data.target.astype(np.int64),
        order[:1000],
        order[1000:1400],
        order[1400:],
    )


def test_digits_are_nearly_solved_by_both_probes(digits):
    features, targets, train, val, test = digits
    knn = probes.knn_probe(features, targets, train, val, test, 10)
    linear = probes.linear_probe(features, targets, train, val, 10, test)
    assert knn.accuracy["test"] > 0.96
    assert knn.k in probes.KS
    assert linear.accuracy["test"] > 0.94
    assert linear.regularization in probes.GRID


def test_raw_weights_reproduce_the_probabilities(digits):
    features, targets, train, val, _ = digits
    probe = probes.linear_probe(features, targets, train, val, 10)
    logits = features @ probe.weight.T + probe.bias
    expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(probe.probabilities, expected, atol=1e-5)
    assert (probe.weight.dtype, probe.bias.dtype) == (np.float32, np.float32)
    assert (probe.predictions[val] == targets[val]).mean() == probe.accuracy["val"]


def test_the_same_probe_twice_is_bitwise_the_same(digits):
    features, targets, train, val, _ = digits
    one, other = (probes.linear_probe(features, targets, train, val, 10) for _ in range(2))
    np.testing.assert_array_equal(one.weight, other.weight)


def test_random_labels_give_chance(digits):
    features, targets, train, val, test = digits
    shuffled = np.random.default_rng(1).permutation(targets)
    assert probes.linear_probe(features, shuffled, train, val, 10, test).accuracy["test"] < 0.2
    assert probes.knn_probe(features, shuffled, train, val, test, 10).accuracy["test"] < 0.2


@pytest.mark.parametrize("scale", [1e-6, 1e4])
def test_scale_and_offset_of_the_features_do_not_matter(digits, scale):
    features, targets, train, val, _ = digits
    plain = probes.linear_probe(features, targets, train, val, 10)
    moved = probes.linear_probe(features * np.float32(scale), targets, train, val, 10)
    assert abs(plain.accuracy["val"] - moved.accuracy["val"]) < 0.01


def test_two_classes_and_classes_without_images():
    generator = np.random.default_rng(0)
    targets = np.repeat([1, 3], 60)
    features = (targets[:, None] + 0.3 * generator.normal(size=(120, 4))).astype(np.float32)
    train, val = np.arange(0, 120, 2), np.arange(1, 120, 2)
    probe = probes.linear_probe(features, targets, train, val, 5)
    assert probe.accuracy["val"] > 0.95
    assert probe.weight.shape == (5, 4)
    assert probe.probabilities[:, [0, 2, 4]].max() < 1e-9


def test_a_single_class_is_always_predicted():
    probe = probes.linear_probe(np.ones((4, 3), np.float32), np.full(4, 2), np.arange(3), np.arange(3, 4), 3)
    assert probe.predictions.tolist() == [2, 2, 2, 2]


def test_features_that_are_not_finite_are_refused(digits):
    features, targets, train, val, _ = digits
    broken = features.copy()
    broken[train[0], 0] = np.nan
    with pytest.raises(PlateauError, match="finite"):
        probes.linear_probe(broken, targets, train, val, 10)


@pytest.mark.parametrize("per_class", [1, 2, 4])
def test_out_of_fold_of_classes_smaller_than_the_folds(per_class):
    targets = np.repeat(np.arange(3), per_class)
    features = np.eye(3, dtype=np.float32)[targets] * 5
    found = probes.out_of_fold(features, targets, np.arange(len(targets)), 3, 1.0, targets.astype(str))
    assert found.shape == (3 * per_class, 3) and np.allclose(found.sum(1), 1)
    alone = probes.out_of_fold(features, targets, np.arange(len(targets)), 3, 1.0)
    assert (alone.argmax(1) == targets).all() == (per_class > 1)


def test_out_of_fold_has_not_seen_the_row_nor_its_group():
    generator = np.random.default_rng(0)
    targets = generator.integers(0, 2, 60)
    features = np.repeat(generator.normal(size=(60, 50)), 2, axis=0).astype(np.float32)  # every image twice
    targets = np.repeat(targets, 2)
    rows, groups = np.arange(120), np.repeat(np.arange(60), 2).astype(str)
    leaking = probes.out_of_fold(features, targets, rows, 2, 1.0)
    honest = probes.out_of_fold(features, targets, rows, 2, 1.0, groups)
    assert (leaking.argmax(1) == targets).mean() > 0.8
    assert (honest.argmax(1) == targets).mean() < 0.7
    np.testing.assert_allclose(honest.sum(1), 1.0, atol=1e-5)


def test_knn_leaves_training_images_out_of_their_own_neighbours():
    features = np.eye(40, dtype=np.float32)
    targets = np.arange(40) % 2
    rows = np.arange(40)
    knn = probes.knn_probe(features, targets, rows[:20], rows[20:30], rows[30:], 2)
    assert knn.accuracy["train"] < 1.0


def test_bayes_error_bound():
    assert probes.bayes_error_bound(0.0, 10) == 0.0
    assert probes.bayes_error_bound(0.9, 10) == pytest.approx(0.9)
    assert 0.05 < probes.bayes_error_bound(0.1, 10) < 0.1


def test_1100_images_of_1280_features_take_less_than_two_seconds():
    generator = np.random.default_rng(0)
    targets = generator.integers(0, 10, 1500)
    features = generator.normal(size=(1500, 1280)) + 0.25 * generator.normal(size=(10, 1280))[targets]
    started = time.thread_time()
    probes.linear_probe(features.astype(np.float32), targets, np.arange(1100), np.arange(1100, 1500), 10)
    assert time.thread_time() - started < 2.0


def test_of_many_rows_a_sample_is_fitted(monkeypatch):
    random = np.random.default_rng(0)
    targets = np.arange(600) % 3
    features = np.eye(3, dtype=np.float32)[targets] + random.normal(0, 0.4, (600, 3)).astype(np.float32)
    train, val = np.arange(400), np.arange(400, 600)
    fitted = []

    def path(some, its, *rest):
        fitted.append(np.bincount(its).tolist())
        return probes_of(some, its, *rest)

    probes_of = probes.fit_path
    monkeypatch.setattr(probes, "fit_path", path)
    monkeypatch.setattr(probes.sample, "SIZE", 90)
    found = probes.linear_probe(features, targets, train, val, 3)
    assert fitted == [[30, 30, 30]]
    assert found.accuracy["val"] > 0.85
    assert len(found.probabilities) == 600
