"""What the scripts beside this file share, as people keep it in a utils.py: data, network, accuracy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import timm
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

WEIGHTS = Path(__file__).parents[2] / "diagnosis/weights/resnet.pt"
SIZE = 48
BICUBIC = transforms.InterpolationMode.BICUBIC
MEAN = STD = [0.5, 0.5, 0.5]


def plain_transform() -> Any:
    """Returns the transform of most scripts: resized, scaled to 0..1, normalised."""
    return transforms.Compose(
        [
            transforms.Resize((SIZE, SIZE), interpolation=BICUBIC),
            transforms.ToTensor(),
            transforms.Normalize(MEAN, STD),
        ]
    )


def folders(root: Path, training: Any, evaluation: Any) -> tuple[ImageFolder, ImageFolder, ImageFolder]:
    """Returns the three splits; validation and test are read with the transform of evaluation."""
    return (
        ImageFolder(root / "train", training),
        ImageFolder(root / "val", evaluation),
        ImageFolder(root / "test", evaluation),
    )


def pretrained(num_classes: int) -> nn.Module:
    """Returns timm's small ResNet with the suite's weights and a new linear head, `fc`."""
    model = timm.create_model("test_resnet", num_classes=num_classes)
    model.load_state_dict(torch.load(WEIGHTS, weights_only=True), strict=False)  # all but the head
    return model


def freeze(module: nn.Module) -> None:
    """Has nothing of the module learn."""
    for parameter in module.parameters():
        parameter.requires_grad = False


def batch_norm_eval(module: nn.Module) -> None:
    """Has the module's batch norms use the statistics that they have."""
    for inner in module.modules():
        if isinstance(inner, nn.BatchNorm2d):
            inner.eval()


@torch.no_grad()
def accuracy(model: nn.Module, data: ImageFolder) -> float:
    """Returns the share of images whose highest output is their class."""
    model.eval()
    right = 0
    for images, targets in DataLoader(data, batch_size=64):
        right += (model(images).argmax(1) == targets).sum().item()
    return right / len(data)
