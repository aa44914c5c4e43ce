import json

import numpy as np
import pytest

from plateau_cause.config.recipe import Preprocessing
from plateau_cause.features import analysis, describe, noise, projection
from plateau_cause.features.neighbors import nearest_in
from plateau_cause.features.views import View

PROFILE = {"layers": [], "by_depth": {}, "entropy": None, "feature_norm": None, "scale_error": None}


def flat(dataset):
    return np.stack([dataset.store.image(i)[:, :, 0].ravel() for i in range(len(dataset.manifest))]).astype(
        np.float32
    )


@pytest.fixture(scope="module")
def views(digits_dataset):
    pixels = flat(digits_dataset)
    blurred = pixels.reshape(-1, 8, 4, 2).mean(3).reshape(len(pixels), -1) + 40
    canonical = View(pixels, "bundled", Preprocessing(), PROFILE)
    recipe = View(np.pad(blurred, ((0, 0), (0, 32))), "bundled", Preprocessing(mean=None), PROFILE)
    scrambled = View(
        np.random.default_rng(0).normal(size=pixels.shape).astype(np.float32), "none", None, PROFILE
    )
    return {"recipe": recipe, "canonical": canonical, "random": scrambled}


@pytest.fixture(scope="module")
def result(digits_dataset, views):
    def quick(parts, seed=0):  # the picture itself has its own, slow test
        return projection.Projection(np.concatenate(parts)[:, :2], 0.9, 0.5)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(projection, "project", quick)
        return analysis.analyse(digits_dataset, views)


def test_probes_rank_the_views_as_they_are(result):
    test = {view: found["linear_probe"]["accuracy"]["test"] for view, found in result.probes["views"].items()}
    assert test["canonical"] > 0.85 > 0.3 > test["random"]
    assert result.probes["best_view"] in ("canonical", "recipe")
    assert result.probes["chance"] == pytest.approx(0.1)


def test_splits_of_one_data_set_do_not_differ_and_preprocessings_do(result):
    assert result.tests["split"]["mmd_p"] > 0.01
    assert result.tests["preprocessing"]["mmd_p"] <= 0.01
    assert result.tests["preprocessing"]["auc"] > 0.9
    assert sum(result.tests["preprocessing"]["sizes"]) == 300  # every image on one side only
    assert "reference" not in result.tests


def test_clean_labels_are_not_accused(result):
    assert result.noise["train"]["rate"] < 0.03
    assert result.noise["train"]["purity"] > 0.8


def test_planted_flips_are_listed_by_row(digits_dataset, views):
    train = digits_dataset.indices("train")
    wrong = np.random.default_rng(0).permutation(train)[: len(train) // 4]
    targets = digits_dataset.targets.copy()
    targets[wrong] = (targets[wrong] + 3) % 10
    dataset = type(digits_dataset)(
        digits_dataset.manifest.assign(target=targets), digits_dataset.store, digits_dataset.classes
    )
    knn, probe = analysis._probe_views(dataset, views)["canonical"]
    features = views["canonical"].features
    found = analysis.label_noise(dataset, features, knn.nearest, probe, "canonical")
    rows = [entry["row"] for entry in found["train"]["flagged"] if entry["kind"] == "noise"]
    assert np.isin(rows, wrong).mean() > 0.8  # 18 images per class vouch, a quarter of them wrong
    assert len(rows) > 0.3 * len(wrong)
    low, high = found["train"]["interval"]
    assert low <= 0.25 <= high
    assert found["train"]["rate"] > 3 * found["held_out"]["rate"]


def test_no_label_of_the_test_split_reaches_the_flags_of_the_training_split(digits_dataset, views):
    features, targets = views["canonical"].features, digits_dataset.targets.copy()
    targets[digits_dataset.indices("test")] = 0
    other = type(digits_dataset)(
        digits_dataset.manifest.assign(target=targets), digits_dataset.store, digits_dataset.classes
    )
    flags = []
    for dataset in (digits_dataset, other):
        knn, probe = analysis._probe_views(dataset, views)["canonical"]
        found = analysis.label_noise(dataset, features, knn.nearest, probe, "canonical")
        flags.append(found["train"]["flagged"])
    assert flags[0] == flags[1]


def test_the_picture_has_the_same_images_in_both_views_and_balanced_splits(result):
    counts = result.points.groupby(["view", "split"]).size()
    assert counts.nunique() == 1 and len(counts) == 6
    rows = [set(result.points.loc[result.points["view"] == view, "row"]) for view in ("recipe", "canonical")]
    assert rows[0] == rows[1]


def test_equal_views_are_one_view(digits_dataset, views):
    one = {"recipe": views["canonical"], "canonical": views["canonical"], "random": views["random"]}
    assert "preprocessing" not in analysis.shift_tests(digits_dataset, one)
    fitted = analysis._probe_views(digits_dataset, one)
    assert fitted["recipe"] is fitted["canonical"]


def test_reference_data_are_tested_and_pictured(digits_dataset, views, monkeypatch):
    monkeypatch.setattr(
        projection, "project", lambda parts, seed=0: projection.Projection(np.concatenate(parts)[:, :2], 1, 1)
    )
    far = {**views, "reference": View(views["canonical"].features + 60, "bundled", Preprocessing(), PROFILE)}
    assert analysis.shift_tests(digits_dataset, far)["reference"]["auc"] > 0.95
    points, _ = analysis.project_views(digits_dataset, far, digits_dataset)
    assert set(points["view"]) == {"recipe", "canonical", "reference"}
    assert set(points.loc[points["view"] == "reference", "split"]) == {"reference"}


def test_metrics_are_flat_numbers(result):
    metrics = result.metrics
    assert all(isinstance(value, (int, float)) for value in metrics.values())
    assert {
        "knn_recipe_test",
        "linear_probe_canonical_val",
        "shift_split_auc",
        "umap_trustworthiness",
    } <= set(metrics)


def test_predictions_per_image(digits_dataset, result):
    table = result.predictions
    test = table["split"] == "test"
    accuracy = (table["canonical_prediction"] == table["target"])[test].mean()
    assert accuracy == pytest.approx(result.metrics["linear_probe_canonical_test"])
    assert table["canonical_probability"].between(0, 1).all()


def test_groups_are_kept_together_where_there_are_any(digits_dataset):
    assert analysis._groups(digits_dataset) is None
    manifest = digits_dataset.manifest.assign(group=["a", "a"] + [None] * (len(digits_dataset.manifest) - 2))
    groups = analysis._groups(type(digits_dataset)(manifest, digits_dataset.store, digits_dataset.classes))
    assert groups[0] == groups[1]
    assert len(set(groups)) == len(groups) - 1


def test_noise_is_plain_types(digits_dataset):
    certain, rows = np.eye(10)[digits_dataset.targets], np.arange(300)
    near = nearest_in(flat(digits_dataset), rows, noise.NEIGHBOURS)
    found = noise.label_noise(certain, near, digits_dataset.targets, rows)
    described = describe.label_noise(found, digits_dataset)
    described["joint"] = described["joint"].tolist()
    assert json.loads(json.dumps(described))["flagged"] == []
