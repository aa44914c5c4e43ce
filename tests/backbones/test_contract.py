"""One contract for every family and library: stages, features, freezing, norm layers, determinism."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from torch import nn

from plateau_cause.backbones import load_backbone
from plateau_cause.backbones.normalization import normalizations
from plateau_cause.backbones.types import Backbone
from plateau_cause.config.recipe import Head, Preprocessing, Recipe, put
from plateau_cause.features.embed import embed
from plateau_cause.training import model
from plateau_cause.training.losses import build as build_loss

SIZE, CLASSES, BATCH = 32, 3, 4


class Case(NamedTuple):
    """What is known about a backbone beforehand."""

    feature_dim: int
    stages: int
    norms: dict[str, int]
    weights: str = "none"


CASES = {  # "folder:" names come from the conftest
    "timm:test_resnet": Case(96, 5, {"batch": 15}),
    "timm:test_vit": Case(64, 7, {"layer": 13}),
    "timm:test_convnext": Case(64, 5, {"layer": 14}),
    "timm:test_efficientnet": Case(256, 5, {"batch": 13}),
    "timm:mobilenetv3_small_050": Case(1024, 6, {"batch": 34}),
    "timm:swin_tiny_patch4_window7_224": Case(768, 5, {"layer": 29}),
    "torchvision:resnet18": Case(512, 5, {"batch": 20}),
    "torchvision:vit_16": Case(32, 4, {"layer": 7}),
    "torchvision:convnext_8": Case(16, 3, {"layer": 6}),
    "torchvision:swin_2": Case(64, 4, {"layer": 10}),
    "torchvision:efficientnet_b0": Case(1280, 8, {"batch": 49}),
    "torchvision:mobilenet_v3_small": Case(1024, 12, {"batch": 34}),
    "folder:ViT": Case(32, 4, {"layer": 7}, "pretrained"),
    "folder:ResNet": Case(24, 4, {"batch": 9}, "pretrained"),
    "folder:ConvNext": Case(32, 5, {"layer": 9}, "pretrained"),
    "folder:Swin": Case(64, 4, {"layer": 10}, "pretrained"),
    "folder:EfficientNet": Case(320, 9, {"batch": 25}, "pretrained"),
    "folder:MobileNetV2": Case(1280, 17, {"batch": 52}, "pretrained"),
    "folder:timm": Case(96, 5, {"batch": 15}, "pretrained"),
    "folder:clone:tiny_net": Case(12, 3, {"batch": 4}, "pretrained"),
    "folder:clone:tiny_dino": Case(16, 4, {"layer": 7}),
}


@pytest.fixture(scope="module")
def load(folders: dict[str, Path], small_torchvision: None) -> Callable[[str], Backbone]:
    """Loads a case; the last one is kept, as the tests of a case follow each other."""
    kept: dict[str, Backbone] = {}

    def get(case: str) -> Backbone:
        if case not in kept:
            kept.clear()
            library, _, name = case.partition(":")
            folder, _, entry = name.partition(":")
            path = f"{folders.get(folder)}:{entry}" if entry else str(folders.get(folder))
            kept[case] = load_backbone(path if library == "folder" else case, CASES[case].weights)
        return kept[case]

    return get


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest) -> str:
    """Each backbone in turn, all tests of one before the next."""
    return str(request.param)


@pytest.fixture
def backbone(load: Callable[[str], Backbone], case: str) -> Backbone:
    return load(case)


def images(count: int = BATCH) -> torch.Tensor:
    return torch.randn(count, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))


def step(network: nn.Module, recipe: Recipe) -> set[str]:
    """Trains one step as the loop does and returns which parts moved: stage names and "head"."""
    torch.manual_seed(0)
    model.set_trainable(network, recipe.trainable, model.head_parameters(network, CLASSES))
    blocks = dict(model.blocks(network))
    before = {name: [p.detach().clone() for p in group] for name, group in blocks.items()}
    trainable = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(trainable, lr=0.1)
    network.train()
    model.set_modes(network, recipe, own_batch_norm=False)
    loss = build_loss(recipe.loss)(network(images()), torch.arange(BATCH) % CLASSES)
    loss.backward()
    optimizer.step()
    changed = {
        name
        for name, group in blocks.items()
        if any(not torch.equal(new, old) for new, old in zip(group, before[name], strict=True))
    }
    assert torch.isfinite(loss)
    return changed


def statistics(network: nn.Module) -> list[torch.Tensor]:
    return [b.detach().clone() for name, b in network.named_buffers() if "running_" in name]


def test_features_are_finite_and_as_wide_as_declared(backbone: Backbone, case: str) -> None:
    with torch.no_grad():
        features = backbone.stages(images())
    assert features.shape == (BATCH, backbone.feature_dim) == (BATCH, CASES[case].feature_dim)
    assert features.isfinite().all()
    assert features.std(dim=0).max() > 0  # they tell images apart
    assert len(backbone.stage_names) == CASES[case].stages


def test_normalisation_layers_are_counted(backbone: Backbone, case: str) -> None:
    assert normalizations(backbone.stages) == CASES[case].norms
    remembering = [name for name, _ in backbone.stages.named_buffers() if name.endswith("running_mean")]
    assert len(remembering) == CASES[case].norms.get("batch", 0)


def test_the_head_has_an_output_per_class(backbone: Backbone) -> None:
    network = model.Classifier(backbone, CLASSES, Head()).eval()
    linear = model.final_linear(network, CLASSES)
    assert linear is network.head[1]
    with torch.no_grad():
        assert network(images()).shape == (BATCH, CLASSES)
    model.set_trainable(network, "none", model.head_parameters(network, CLASSES))
    assert not any(p.requires_grad for p in network.parameters())


@pytest.mark.parametrize("trainable", ["head", "last_block", "all"])
def test_a_step_moves_what_is_trainable_and_nothing_else(backbone: Backbone, trainable: str) -> None:
    names = backbone.stage_names
    moved = {"head": {"head"}, "last_block": {names[-1], "head"}, "all": {*names, "head"}}
    network = model.Classifier(backbone, CLASSES, Head())
    running = statistics(network.stages[:-1])
    assert step(network, put(Recipe(), {"trainable": trainable, "batch_norm": "train"})) == moved[trainable]
    rested = all(torch.equal(a, b) for a, b in zip(running, statistics(network.stages[:-1]), strict=True))
    assert rested == (trainable != "all" or not running)


def test_frozen_batch_norm_keeps_its_statistics(backbone: Backbone) -> None:
    network = model.Classifier(backbone, CLASSES, Head())
    running = statistics(network)
    step(network, put(Recipe(), {"trainable": "all", "batch_norm": "frozen"}))
    assert all(torch.equal(a, b) for a, b in zip(running, statistics(network), strict=True))


def test_a_cached_prefix_gives_what_the_whole_gives(backbone: Backbone) -> None:
    network = model.Classifier(backbone, CLASSES, Head()).eval()
    with torch.no_grad():
        whole = network(images())
        for depth in {len(network.stages) - 1, len(network.stages)} - {0}:
            cached = network.stages[:depth](images())
            network.entry = depth
            assert torch.allclose(network(cached), whole, rtol=1e-4, atol=1e-5)
            network.entry = 0


def test_embedding_twice_gives_the_same(backbone: Backbone) -> None:
    pixels = (images().numpy() * 40 + 120).clip(0, 255).astype("uint8")
    first, again = (embed(backbone, pixels, Preprocessing(size=SIZE), torch.device("cpu"))[0] for _ in "ab")
    assert (first == again).all()
    assert first.shape == (BATCH, backbone.feature_dim)
