import subprocess
import sys

import numpy as np
import pytest

from plateau_cause.features import projection


def test_balanced_takes_equally_many_of_every_group():
    groups = np.array(["train"] * 50 + ["val"] * 20 + ["test"] * 30)
    rows = projection.balanced(groups, most=30)
    assert np.unique(groups[rows], return_counts=True)[1].tolist() == [10, 10, 10]
    assert (rows == projection.balanced(groups, most=30)).all()
    assert len(projection.balanced(groups)) == 60


def test_quality_of_a_perfect_picture_is_one_and_of_a_random_one_low():
    generator = np.random.default_rng(0)
    points = generator.normal(size=(200, 2))
    assert projection._quality(points, points, 15) == pytest.approx((1.0, 1.0))
    trustworthiness, preservation = projection._quality(points, generator.normal(size=(200, 2)), 15)
    assert trustworthiness < 0.6
    assert preservation < 0.2


@pytest.mark.slow
def test_joint_umap_mixes_one_distribution_and_parts_two_and_repeats():
    """One test for all: numba compiles for seconds."""
    generator = np.random.default_rng(0)
    centers = 4 * generator.normal(size=(3, 30))
    labels = generator.integers(0, 3, 240)
    draw = lambda: (centers[labels] + generator.normal(size=(240, 30))).astype(np.float32)  # noqa: E731
    first, second = draw(), draw()
    joint = projection.project([first, second])
    assert joint.points.shape == (480, 2)
    assert joint.trustworthiness > 0.8
    assert 0.35 < _share_of_own(joint.points) < 0.65
    apart = projection.project([first, second + 10 * generator.normal(size=30)])
    assert _share_of_own(apart.points) > 0.9
    np.testing.assert_array_equal(projection.project([first, second]).points, joint.points)
    assert projection.project([first[:5], second[:4]]).points.shape == (9, 2)


def _share_of_own(points):
    """Share of the 10 nearest neighbours from the same half: 0.5 where both halves are mixed."""
    distance = ((points[:, None] - points[None]) ** 2).sum(2)
    nearest = np.argsort(distance, axis=1)[:, 1:11]
    side = np.arange(len(points)) < len(points) // 2
    return (side[nearest] == side[:, None]).mean()


def test_importing_the_features_pulls_in_nothing_heavy():
    code = (
        "import sys, plateau_cause.features.analysis, plateau_cause.features.projection;"
        "import plateau_cause.features.views;"
        "heavy = {'torch', 'mlflow', 'umap', 'numba', 'matplotlib', 'timm', 'dvc'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
