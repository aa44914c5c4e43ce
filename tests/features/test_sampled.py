"""Features of a sample: computed of its rows only, and everything said about them in rows of the manifest."""

import numpy as np
import pytest
import torch
from tiny import PREPROCESSING, tiny_backbone

from plateau_cause.config.params import BackboneParams, Params
from plateau_cause.config.recipe import Recipe
from plateau_cause.features import analysis, projection
from plateau_cause.features import embed as embedding
from plateau_cause.features.views import load_views, metrics, save_views
from plateau_cause.images import sample

CPU = torch.device("cpu")
PARAMS = Params(backbone=BackboneParams(name="tiny"), recipe=Recipe(preprocessing=PREPROCESSING))


@pytest.fixture
def embedded(tiny_dataset, monkeypatch):
    """A function: the views of all images, or of a sample of so many."""
    monkeypatch.setattr(embedding, "load_backbone", lambda name, weights: tiny_backbone(name, weights))
    monkeypatch.setattr(sample, "PER_CLASS", 1)

    def make(size=sample.SIZE, **options):
        monkeypatch.setattr(sample, "SIZE", size)
        return embedding.embed_views(tiny_dataset, PARAMS, CPU, **options)

    return make


def transform(image, train):
    return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1).float() / 255


@pytest.mark.parametrize("own", [None, transform])
def test_the_features_are_those_of_the_rows(embedded, own):
    whole, some = embedded(user_transform=own), embedded(60, user_transform=own)
    for name in ("recipe", "canonical", "random"):
        assert whole[name].rows is None
        assert len(some[name].rows) == 60
        expected = whole[name].features[some[name].rows]
        np.testing.assert_allclose(some[name].features, expected, rtol=1e-4, atol=1e-5)


def test_the_rows_survive_the_disk_and_are_counted(embedded, tmp_path):
    views = embedded(60)
    save_views(tmp_path / "features", views, {})
    found, _ = load_views(tmp_path / "features")
    np.testing.assert_array_equal(found["recipe"].rows, views["recipe"].rows)
    assert metrics(found)["sampled_recipe"] == 60
    assert not any(name.startswith("sampled") for name in metrics(embedded()))


def test_what_is_found_stands_in_rows_of_the_manifest(embedded, tiny_dataset, monkeypatch):
    def quick(parts, seed=0):
        return projection.Projection(np.concatenate(parts)[:, :2], 0.9, 0.5)

    monkeypatch.setattr(projection, "project", quick)
    views = embedded(60, reference=tiny_dataset)
    found = analysis.analyse(tiny_dataset, views, tiny_dataset)
    rows, ids = set(views["recipe"].rows.tolist()), tiny_dataset.manifest["image_id"]
    assert found.sampled == found.metrics["sampled"] == found.noise["sampled"] == 60
    assert found.probes["sampled"] == found.tests["split"]["sampled"] == 60
    for row, image_id in zip(found.points["row"], found.points["image_id"], strict=True):
        assert row in rows
        assert ids[row] == image_id
    for part in ("train", "held_out"):
        for image in found.noise[part]["flagged"]:
            assert ids[image["row"]] == image["image_id"]
    assert len(found.predictions) == 60


def test_nothing_is_said_of_a_sample_without_one(embedded, tiny_dataset, monkeypatch):
    def quick(parts, seed=0):
        return projection.Projection(np.concatenate(parts)[:, :2], 0.9, 0.5)

    monkeypatch.setattr(projection, "project", quick)
    found = analysis.analyse(tiny_dataset, embedded())
    assert found.sampled is None
    assert not [place for place in (found.metrics, found.noise, found.probes) if "sampled" in place]


def test_a_view_of_fewer_rows(embedded):
    view, whole = embedded(60)["recipe"], embedded()["recipe"]
    some = view.rows[[3, 10, 59]]
    np.testing.assert_array_equal(view.of(some).features, view.features[[3, 10, 59]])
    assert view.of(some).rows is None
    outside = np.setdiff1d(np.arange(90), view.rows)[:1]
    np.testing.assert_array_equal(whole.of(outside).features, whole.features[outside])
    both = np.sort(np.append(some, outside))
    found = view.of(both)
    np.testing.assert_array_equal(found.features, view.features[[3, 10, 59]])
    np.testing.assert_array_equal(both[found.rows], some)


def test_rows_that_must_be_there_are(embedded):
    wanted = np.array([2, 4, 5, 8, 77])
    rows = embedded(30, include=wanted)["random"].rows
    assert set(wanted) <= set(rows)
    assert len(rows) <= 30
