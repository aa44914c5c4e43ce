"""The name of a network is recognised from its class and shapes, also within a larger model."""

from __future__ import annotations

import pytest
import timm
import torch
import torchvision
from torch import nn

from plateau_cause.capture.child.describe.architecture import architecture


def found(model):
    """Returns the name and the module of the network that a model holds."""
    network = architecture(model)
    return None if network is None else (network.name, network.module)


@pytest.mark.parametrize(
    "name", ["resnet18", "resnet34", "resnext50_32x4d", "mobilenet_v3_small", "vgg11_bn"]
)
def test_torchvisions_networks_are_told_apart_whatever_their_head(name):
    with torch.device("meta"):
        model = getattr(torchvision.models, name)(num_classes=5)
    assert found(nn.Sequential(nn.Identity(), model)) == (name, model)


def test_networks_that_compute_while_they_are_built_and_heads_that_are_convolutions():
    regnet = torchvision.models.regnet_y_400mf(num_classes=3)
    assert found(regnet) == ("regnet_y_400mf", regnet)
    squeezenet = torchvision.models.squeezenet1_0()
    squeezenet.classifier[1] = nn.Conv2d(512, 3, 1)
    assert found(squeezenet) == ("squeezenet1_0", squeezenet)


def test_timms_networks_say_it_themselves():
    model = timm.create_model("resnet10t", num_classes=2)
    assert found(model) == ("resnet10t", model)


def test_other_networks_have_no_name():
    assert found(nn.Sequential(nn.Conv2d(3, 8, 3), nn.Flatten(), nn.LazyLinear(2))) is None


@pytest.mark.parametrize("cut", [
    lambda: nn.Sequential(*list(torchvision.models.resnet34().children())[:-1]),
    lambda: nn.Sequential(*list(torchvision.models.resnet34().children())[:-2]),
    lambda: torchvision.models.mobilenet_v2().features,
    lambda: torchvision.models.vgg11_bn().features,
], ids=["without its head", "without its pooling", "features", "features of VGG"])  # fmt: skip
def test_a_network_of_torchvision_without_its_head_is_recognised(cut):
    with torch.device("meta"):
        body = cut()
    network = architecture(nn.Sequential(body, nn.Flatten(), nn.BatchNorm1d(512), nn.Linear(512, 3)))
    assert network.library == "torchvision"
    assert network.name in ("resnet34", "mobilenet_v2", "vgg11_bn")
    assert network.module is body


def test_half_a_network_has_no_name():
    with torch.device("meta"):
        body = nn.Sequential(*list(torchvision.models.resnet34().children())[:6])
    assert architecture(body) is None
