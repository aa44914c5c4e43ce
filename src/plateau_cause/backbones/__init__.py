"""Backbones: a name and weights become named stages, and what the weights expect of their input.

Any classification model of torchvision, timm, the Hub or PyTorch Hub (`config/backbone_name.py`).
Importing this package imports none of these libraries: that takes longer than loading a small model.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from plateau_cause.backbones import catalogue, hugging_face
from plateau_cause.backbones.classifier import classifier, head_names
from plateau_cause.backbones.comparison import compare_weights, load_matching
from plateau_cause.backbones.expectations import expectation
from plateau_cause.backbones.hub import download
from plateau_cause.backbones.loading import load_state
from plateau_cause.backbones.stages import cut
from plateau_cause.backbones.state_files import bundled_file, read_state
from plateau_cause.backbones.types import Architecture, Backbone, LoadReport
from plateau_cause.errors import PlateauError
from plateau_cause.images.expectation import Expectation

__all__ = [
    "Backbone",
    "Expectation",
    "LoadReport",
    "check_size",
    "compare_weights",
    "load_backbone",
    "load_matching",
]

SMALL_PX = 64  # the cut is checked at this size where the model takes it: a few milliseconds


def load_backbone(name: str, weights: str, seed: int = 0) -> Backbone:
    """Returns the model of this name as stages in eval mode, without its classifier.

    Args:
        name: as `config/backbone_name.py` reads it; torchvision's model where timm has the name too.
        weights: bundled | pretrained | none | path of a .safetensors, .pt or .pth state dict.
        seed: of random weights, and of what the weights given lack; the global generator is left alone.

    Raises:
        PlateauError: no such name (the line gives the nearest), weights that cannot be had or do not fit.
    """
    architecture = catalogue.find(name)
    model, report = _load(architecture, weights, seed)
    model.eval()
    expects = expectation(architecture, model, weights)
    names = {id(tensor): key for key, tensor in model.state_dict(keep_vars=True).items()}
    head = classifier(model) if report.head_loaded else None
    headless = catalogue.features(architecture, model)
    images, features = _sample(headless, name, expects.size)
    stages = cut(headless, images).eval()
    return Backbone(
        name=name,
        stages=stages,
        stage_names=tuple(key for key, _ in stages.named_children()),
        feature_dim=features[0].numel(),
        expects=expects,
        pretrained_head=head,
        load_report=report,
        original_names=_original_names(stages, names),
    )


def check_size(backbone: Backbone, size: int) -> None:
    """Raises PlateauError where the backbone does not take input of this size (pixels); runs one image."""
    was_training = backbone.stages.training
    try:
        with torch.no_grad():
            backbone.stages.eval()(_images(size, count=1).to(next(backbone.stages.parameters()).device))
    except Exception as error:  # each library says it in its own way
        raise PlateauError(
            f"recipe.preprocessing.size: got {size}, {backbone.name} cannot take such images; "
            f"its weights expect {backbone.expects.size}"
        ) from error
    finally:
        backbone.stages.train(was_training)


def _load(architecture: Architecture, weights: str, seed: int) -> tuple[nn.Module, LoadReport]:
    if weights == "pretrained":
        return download(architecture, seed)
    if weights == "none":
        return catalogue.build(architecture, seed), LoadReport()
    path = bundled_file(architecture.name) if weights == "bundled" else Path(weights)
    state, wrapper = read_state(path)  # before the model is built: a wrong path fails at once
    if architecture.library == "transformers":
        model, report = hugging_face.load_state(architecture.name, seed, state, path.name)
        return model, replace(report, wrapper=wrapper)
    model = catalogue.build(architecture, seed)
    return model, load_state(model, state, head_names(model), path.name, wrapper)


def _sample(model: nn.Module, name: str, native_size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns random images (2, 3, S, S), small where the model allows it, and its own features (2, ...)."""
    for size in (SMALL_PX, native_size):
        images = _images(size)
        try:
            with torch.no_grad():
                features = model(images)
        except Exception as error:  # too small for this model: each library says it in its own way
            if size == native_size:
                raise PlateauError(f"backbone.name: {name} does not take {size} px ({error})") from error
            continue
        if isinstance(features, torch.Tensor) and features.flatten(1).shape[1] == features.shape[1]:
            return images, features
    raise PlateauError(f"backbone.name: {name} gives no pooled features, so it is no classification model")


def _images(size: int, count: int = 2) -> torch.Tensor:
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(0))


def _original_names(stages: nn.Sequential, names: dict[int, str]) -> dict[str, str]:
    """Returns name in the stages -> name in the library's model, in the library's order."""
    order = {original: i for i, original in enumerate(names.values())}
    pairs = [(key, names[id(tensor)]) for key, tensor in stages.state_dict(keep_vars=True).items()]
    return dict(sorted(pairs, key=lambda pair: order[pair[1]]))
