"""What a model was trained on: kept whole, sampled where it is large, found again by content or by id."""

import numpy as np
import pytest

from plateau_cause.errors import PlateauError
from plateau_cause.retraining import training_set

from .conftest import BACKBONE, features_of, view_of


def test_what_was_seen_is_known_by_content_and_by_id(today, yesterday):
    manifest = today.manifest.copy()
    manifest.loc[0, "image_id"] = "renamed"
    manifest.loc[2, "sha256"] = "stored at another size"
    manifest.loc[4, ["image_id", "sha256"]] = ["another", "image"]
    known = yesterday.knows(manifest, ("train", "val", "test"))
    expected = np.arange(len(manifest)) % 2 == 0
    expected[4] = False
    np.testing.assert_array_equal(known, expected)


def test_test_images_were_not_learned_from(today, yesterday):
    test = today.manifest[today.manifest["split"] == "test"]
    assert not yesterday.knows(test, training_set.LEARNED_FROM).any()
    assert yesterday.knows(test, ("test",)).sum() == len(test) // 2


def test_the_sample_is_of_training_images_only_and_has_an_end(today, monkeypatch):
    monkeypatch.setattr(training_set, "MOST_ROWS", 20)
    features = features_of(today)
    found = training_set.describe(today, view_of(features), BACKBONE)
    train = {tuple(row) for row in features[today.indices("train")].tolist()}
    assert len(found.features) == 20
    assert {tuple(row) for row in found.features.tolist()} < train
    assert len(found.images) == len(today)


def test_it_comes_back_from_disk_as_it_was(tmp_path, yesterday):
    training_set.save(tmp_path / "x", yesterday)
    back = training_set.load(tmp_path / "x")
    np.testing.assert_array_equal(back.features, yesterday.features)
    np.testing.assert_array_equal(back.labels, yesterday.labels)
    assert back.images.equals(yesterday.images)
    assert back.network == yesterday.network
    assert back.class_counts() == yesterday.class_counts()


def test_an_incomplete_one_is_one_line(tmp_path, yesterday):
    training_set.save(tmp_path / "x", yesterday)
    (tmp_path / "x" / training_set.NETWORK).unlink()
    with pytest.raises(PlateauError, match=r"network\.json"):
        training_set.load(tmp_path / "x")
