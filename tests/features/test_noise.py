import numpy as np
import pytest

from plateau_cause.features import noise, probes
from plateau_cause.features.confident_learning import doubtful, estimate_joint, told_apart
from plateau_cause.features.neighbors import nearest_in


@pytest.fixture(scope="module")
def digits():
    from sklearn.datasets import load_digits

    data = load_digits()
    return data.data.astype(np.float32), data.target.astype(np.int64)


def flipped(targets, rate, num_classes, seed=0):
    generator = np.random.default_rng(seed)
    wrong = generator.random(len(targets)) < rate
    return np.where(
        wrong, (targets + generator.integers(1, num_classes, len(targets))) % num_classes, targets
    )


def judged(features, targets, num_classes):
    rows = np.arange(len(targets))
    unseen = probes.out_of_fold(features, targets, rows, num_classes, 0.1)
    return noise.label_noise(unseen, near_among(features, rows), targets, rows)


def near_among(features, rows):
    return nearest_in(features, rows, noise.NEIGHBOURS)


def test_clean_digits_are_silent(digits):
    found = judged(*digits, 10)
    assert found.rate < 0.03
    assert found.interval[0] < 0.01
    assert len(found.rows) < 0.03 * len(digits[1])


@pytest.mark.parametrize("planted", [0.1, 0.3])
def test_planted_flips_are_found(digits, planted):
    features, clean = digits
    given = flipped(clean, planted, 10)
    found = judged(features, given, 10)
    truth = (given != clean).mean()
    assert 0.73 * truth < found.rate < 1.27 * truth
    assert found.interval[0] <= truth <= found.interval[1]
    suspects = found.rows[found.is_noise]
    wrong = given != clean
    assert wrong[suspects].mean() > 0.95  # precision
    assert wrong[suspects].sum() / wrong.sum() > 0.75  # recall
    assert (found.suggested[found.is_noise] == clean[suspects]).mean() > 0.95


def test_half_of_the_classes_overlapping_is_not_called_noise():
    generator = np.random.default_rng(0)
    centers = 0.42 * generator.normal(size=(10, 20))
    targets = generator.integers(0, 10, 1500)
    features = (centers[targets] + generator.normal(size=(1500, 20))).astype(np.float32)
    found = judged(features, targets, 10)
    assert found.overlap_rate > 0.15  # confident learning alone would call this noise
    assert found.rate < 0.06
    assert found.symmetry > 0.6


def test_flips_in_one_direction_of_one_pair_are_concentrated(digits):
    features, clean = digits
    given = np.where((clean == 3) & (np.random.default_rng(0).random(len(clean)) < 0.4), 8, clean)
    one_pair, everywhere = judged(features, given, 10), judged(features, flipped(clean, 0.1, 10), 10)
    assert one_pair.concentration > everywhere.concentration + 0.3
    assert one_pair.symmetry < 0.5
    assert one_pair.joint[8, 3] == pytest.approx((given != clean).mean(), abs=0.02)


def test_a_missing_class_and_a_single_class_do_no_harm(digits):
    features, targets = digits
    rows = np.flatnonzero(targets != 4)
    unseen = probes.out_of_fold(features, targets, rows, 10, 0.1)
    near = near_among(features, rows)
    assert noise.label_noise(unseen, near, targets, rows).joint[4].sum() == 0
    alone = np.flatnonzero(targets == 4)
    assert len(noise.label_noise(unseen[: len(alone)], near, targets, alone).rows) == 0


def test_purity_is_high_on_clean_digits_and_falls_with_noise(digits):
    features, clean = digits
    rows = np.arange(len(clean))
    near = near_among(features, rows)
    assert noise.neighbour_purity(near, clean, rows).mean() > 0.9
    assert noise.neighbour_purity(near, flipped(clean, 0.4, 10), rows).mean() < 0.6


@pytest.mark.parametrize("planted", [0.0, 0.1, 0.3])
def test_the_estimators_agree_with_cleanlab(digits, planted):
    count = pytest.importorskip("cleanlab.count")
    from cleanlab.filter import find_label_issues

    features, clean = digits
    given = flipped(clean, planted, 10)
    unseen = probes.out_of_fold(features, given, np.arange(len(given)), 10, 0.1)
    joint = estimate_joint(given, unseen)
    np.testing.assert_allclose(joint, count.estimate_joint(given, unseen), atol=0.002)
    theirs = find_label_issues(given, unseen, return_indices_ranked_by="self_confidence", n_jobs=1)
    ours = doubtful(given, unseen, joint)
    assert len(np.intersect1d(ours, theirs)) >= 0.95 * max(len(ours), len(theirs)) - 2


@pytest.mark.parametrize(
    ("joint", "apart"),
    [(np.diag([0.5, 0.5]), 1.0), (np.full((2, 2), 0.25), 0.0),
     (np.array([[0.76, 0.19], [0.045, 0.005]]), -0.1),  # a rare class that the model never finds
     (np.full((6, 6), 0.3 / 30) + np.diag([0.7 / 6 - 0.01] * 6), 0.63)],
)  # fmt: skip
def test_how_far_a_model_tells_classes_apart(joint, apart):
    assert told_apart(joint) == pytest.approx(apart, abs=0.02)
