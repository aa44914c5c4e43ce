from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from plateau_cause.backbones.types import Backbone, LoadReport
from plateau_cause.config.params import BackboneParams, Params
from plateau_cause.config.recipe import Preprocessing, Recipe
from plateau_cause.errors import PlateauError
from plateau_cause.features import embed as embedding
from plateau_cause.features.embed import embed, embed_views, identify_preprocessing
from plateau_cause.features.views import load_views, metrics, save_views
from plateau_cause.images.expectation import Expectation

CPU = torch.device("cpu")
EXPECTS = Expectation((0.5, 0.4, 0.3), (0.25, 0.2, 0.5), 32, "bilinear", 1.0, "test")


def backbone(seed: int = 0) -> Backbone:
    generator = torch.Generator().manual_seed(seed)
    conv = nn.Conv2d(3, 6, 3, bias=False)
    conv.weight.data = torch.randn(conv.weight.shape, generator=generator)
    stages = nn.Sequential()
    stages.add_module("stem", nn.Sequential(conv, nn.BatchNorm2d(6), nn.ReLU()))
    stages.add_module("neck", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()))
    return Backbone(
        "tiny", stages.eval(), ("stem", "neck"), 6, EXPECTS, nn.Linear(6, 4), LoadReport(loaded_frac=1.0)
    )


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (70, 3, 8, 8)).astype(np.uint8)


def params(weights: str = "bundled", **preprocessing) -> Params:
    recipe = Recipe(preprocessing=Preprocessing(size=8, **preprocessing))
    return Params(backbone=BackboneParams(name="tiny", weights=weights), recipe=recipe)


@pytest.fixture
def loads(monkeypatch):
    """Replaces loading by the tiny backbone; returns the weights that were asked for."""
    asked: list[str] = []

    def load(name, weights, seed=0):
        asked.append(weights)
        return backbone(1 if weights == "none" else 0)

    monkeypatch.setattr(embedding, "load_backbone", load)
    return asked


def test_features_are_the_plain_forward_pass(images):
    model = backbone()
    features, profile = embed(model, images, Preprocessing(size=8, mean=None, std=None), CPU)
    with torch.inference_mode():
        expected = model.stages(torch.from_numpy(images).float() / 255)
    np.testing.assert_allclose(features, expected.numpy(), rtol=1e-4, atol=1e-5)
    assert features.dtype == np.float32
    assert profile.images == 70
    assert profile.layers[0].name == "stem.1"
    assert list(profile.stages) == ["stem", "neck"]
    assert 0 < profile.entropy <= 1


def test_canonical_is_resolved_and_the_input_moments_follow(images):
    model = backbone()
    canonical, profile = embed(model, images, Preprocessing(size=8), CPU)
    numbers, _ = embed(model, images, Preprocessing(size=8, mean=EXPECTS.mean, std=EXPECTS.std), CPU)
    np.testing.assert_array_equal(canonical, numbers)
    means = (images.mean((0, 2, 3)) / 255 - EXPECTS.mean) / EXPECTS.std
    assert profile.channel_means == pytest.approx(tuple(means), abs=1e-4)


def test_twice_is_bitwise_the_same_and_the_batch_size_does_not_matter(images):
    one, again = (embed(backbone(), images, Preprocessing(size=8), CPU)[0] for _ in range(2))
    np.testing.assert_array_equal(one, again)
    other, _ = embed(backbone(), images, Preprocessing(size=8), CPU, batch_size=13)
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_the_training_mode_and_the_gradients_are_left_alone(images):
    model = backbone()
    model.stages.train()
    embed(model, images, Preprocessing(size=8), CPU)
    assert model.stages.training and model.stages[0][1].training
    assert model.stages[0][1].num_batches_tracked == 0
    assert all(p.requires_grad for p in model.stages.parameters())


def test_only_some_images_are_profiled_spread_over_all(monkeypatch, images):
    monkeypatch.setattr(embedding, "PROFILE_IMAGES", 20)
    _, profile = embed(backbone(), np.concatenate([images] * 3), Preprocessing(size=8), CPU, batch_size=10)
    assert 20 <= profile.images <= 40


def test_identical_views_are_computed_once(digits_dataset, loads):
    same = embed_views(digits_dataset, params(interpolation="bilinear"), CPU)
    assert same["recipe"] is same["canonical"]
    assert loads == ["bundled", "none"]
    other = embed_views(digits_dataset, params(mean=None, std=None), CPU)
    assert set(other) == {"recipe", "canonical", "random"}
    np.testing.assert_array_equal(other["canonical"].features, same["canonical"].features)
    assert not np.allclose(other["recipe"].features, other["canonical"].features)


def test_random_weights_are_their_own_control(digits_dataset, loads):
    views = embed_views(digits_dataset, params(weights="none"), CPU)
    assert views["random"] is views["canonical"]


def test_reference_data_get_the_canonical_view(digits_dataset, loads):
    views = embed_views(digits_dataset, params(), CPU, reference=digits_dataset)
    np.testing.assert_array_equal(views["reference"].features, views["canonical"].features)


def test_the_users_transform_makes_the_recipe_view(digits_dataset, loads):
    def transform(image, train):
        assert not train
        return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1).float() / 255

    views = embed_views(digits_dataset, params(), CPU, user_transform=transform)
    declared = embed_views(digits_dataset, params(mean=None, std=None), CPU)
    np.testing.assert_allclose(views["recipe"].features, declared["recipe"].features, rtol=1e-4, atol=1e-5)
    assert views["recipe"].preprocessing is None


def test_a_transform_of_changing_shape_is_one_clear_line(digits_dataset, loads):
    sizes = iter(range(8, 1000))
    with pytest.raises(PlateauError, match=r"recipe\.code"):
        embed_views(digits_dataset, params(), CPU, lambda image, train: torch.zeros(3, next(sizes), 8))


def test_the_preprocessing_is_identified(color_dataset):
    dataset = color_dataset
    declared = replace(Preprocessing(size=8), scale="byte", mean=None, std=None, channels="bgr")
    found = identify_preprocessing(dataset, declared, backbone())
    assert (found.scale, found.channels) == ("byte", "bgr")

    def transform(image, train):
        return (torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255 - 0.5) / 0.25

    found = identify_preprocessing(dataset, declared, backbone(), transform)
    assert found.mean == pytest.approx((0.5,) * 3, abs=0.01)
    assert found.std == pytest.approx((0.25,) * 3, abs=0.01)
    wide = identify_preprocessing(dataset, declared, backbone(), lambda image, train: torch.zeros(3, 8, 9))
    assert wide is None


def test_views_survive_the_disk(tmp_path, digits_dataset, loads):
    views = embed_views(digits_dataset, params(mean=None), CPU)
    save_views(tmp_path / "features", views, embedding.describe(digits_dataset, params(mean=None)))
    again, about = load_views(tmp_path / "features")
    assert set(again) == set(views)
    for name in views:
        np.testing.assert_array_equal(again[name].features, views[name].features)
        assert again[name].preprocessing == views[name].preprocessing
    assert about["load_report"]["loaded_frac"] == 1.0
    assert about["identification"]["is_affine"]
    assert metrics(again) == pytest.approx(metrics(views))
    assert "batch_norm_kl_stem_recipe" in metrics(views)
    assert "batch_norm_kl_stem_random" not in metrics(views)


def test_images_that_shrink_to_nothing_name_the_key():
    recipe = Recipe(preprocessing=Preprocessing(size=16))
    given = Params(backbone=BackboneParams(name="test_convnext", weights="none"), recipe=recipe)
    with pytest.raises(PlateauError, match=r"recipe\.preprocessing\.size: got 16, test_convnext cannot"):
        embed_views(None, given, CPU)
