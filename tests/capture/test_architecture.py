"""The name of a network is recognised from its class and shapes, also within a larger model."""

from __future__ import annotations

import pytest
import timm
import torch
import torchvision
from torch import nn

from plateau_cause.capture.child.architecture import architecture


@pytest.mark.parametrize(
    "name", ["resnet18", "resnet34", "resnext50_32x4d", "mobilenet_v3_small", "vgg11_bn"]
)
def test_torchvisions_networks_are_told_apart_whatever_their_head(name):
    with torch.device("meta"):
        model = getattr(torchvision.models, name)(num_classes=5)
    assert architecture(nn.Sequential(nn.Identity(), model)) == (name, model)


def test_networks_that_compute_while_they_are_built_and_heads_that_are_convolutions():
    regnet = torchvision.models.regnet_y_400mf(num_classes=3)
    assert architecture(regnet) == ("regnet_y_400mf", regnet)
    squeezenet = torchvision.models.squeezenet1_0()
    squeezenet.classifier[1] = nn.Conv2d(512, 3, 1)
    assert architecture(squeezenet) == ("squeezenet1_0", squeezenet)


def test_timms_networks_say_it_themselves():
    model = timm.create_model("resnet10t", num_classes=2)
    assert architecture(model) == ("resnet10t", model)


def test_other_networks_have_no_name():
    assert architecture(nn.Sequential(nn.Conv2d(3, 8, 3), nn.Flatten(), nn.LazyLinear(2))) is None
