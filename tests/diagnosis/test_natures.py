"""What runs share: how much each varies by the choice of test images, and what may be said of the next."""

import numpy as np
import pytest

from plateau_cause.diagnosis.natures import image_noise, next_noise

IMAGES = 4000


def noisy(rng, flips):
    """Returns runs on the same images, each with a share of them changed by itself."""
    shared = rng.random(IMAGES) < 0.8
    return np.stack([np.where(rng.random(IMAGES) < flip, rng.random(IMAGES) < 0.8, shared) for flip in flips])


def test_the_variances_of_two_runs_add_up_to_that_of_their_paired_difference():
    for flips in ((0.1, 0.1), (0.05, 0.1, 0.2), (0.05, 0.1, 0.2, 0.3, 0.1)):
        hits = noisy(np.random.default_rng(0), flips).astype(float)
        found = image_noise(hits)
        for i in range(len(flips)):
            for j in range(i):
                paired = (hits[i] - hits[j]).var() / IMAGES
                assert found[i, i] + found[j, j] == pytest.approx(paired, rel=0.15)


def test_a_run_that_changes_more_images_varies_more():
    found = np.diagonal(image_noise(noisy(np.random.default_rng(1), (0.02, 0.1, 0.3)).astype(float)))
    assert found[0] < found[1] < found[2]


def test_runs_that_agree_everywhere_are_not_surely_equal():
    hits = np.repeat(noisy(np.random.default_rng(2), (0.1,)), 4, 0).astype(float)
    assert (np.diagonal(image_noise(hits)) > 0).all()


def test_an_accurate_run_stands_out_however_many_others_there_are():
    """Accurate runs vary less over images: that must not explain away that they are accurate."""
    rng = np.random.default_rng(3)
    hardness = rng.standard_normal(360)
    runs = [0.953, *[0.905] * 24]
    seen = [0.92 * hardness + 0.4 * rng.standard_normal(360) for _ in runs]
    hits = np.stack([s < np.quantile(s, p) for s, p in zip(seen, runs, strict=True)]).astype(float)
    noise = image_noise(hits)
    apart = hits[0].mean() - hits[1:].mean()
    assert apart / np.sqrt(noise[0, 0] + noise[1:, 1:].mean() / 24) > 3


def test_the_next_run_is_taken_to_differ_as_the_others_do():
    hits = noisy(np.random.default_rng(4), (0.1, 0.1, 0.1)).astype(float)
    changes = np.mean([np.abs(hits[i] - hits[j]).mean() for i in range(3) for j in range(i)])
    assert next_noise(hits) == pytest.approx(changes / (2 * IMAGES), rel=0.1)
    assert next_noise(hits[:1]) > 0
