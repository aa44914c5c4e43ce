"""What networks expect, and the map from one way to another."""

from __future__ import annotations

import numpy as np
import pytest

from plateau_cause.capture.keras_child.describe import expects


@pytest.mark.parametrize(
    ("name", "way"),
    [("ResNet50", "caffe"), ("resnet50v2", "tf"), ("ResNet152V2", "tf"), ("VGG16", "caffe"),
     ("mobilenetv2_1.00_224", "tf"), ("MobileNetV3Small", "byte"), ("efficientnetb0", "byte"),
     ("EfficientNetV2B0", "byte"), ("densenet121", "torch"), ("convnext_tiny", "byte"), ("my_cnn", None)],
)  # fmt: skip
def test_published_networks_expect_what_keras_documents(name, way):
    assert expects.of_network(name) == way


def test_without_its_own_preprocessing_a_network_expects_another_range():
    assert expects.of_network("MobileNetV3Small", includes_preprocessing=False) == "tf"
    assert expects.of_network("EfficientNetV2B0", includes_preprocessing=False) == "torch"


@pytest.fixture
def ways():
    """One photograph (H, W, 3) as every way has it, computed as keras.applications does."""
    rgb = np.random.default_rng(0).integers(0, 256, (16, 16, 3)).astype(np.float64)
    rgb[0, 0], rgb[0, 1] = 0, 255
    return {
        "byte": rgb, "unit": rgb / 255, "tf": rgb / 127.5 - 1,
        "torch": (rgb / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225],
        "caffe": rgb[..., ::-1] - [103.939, 116.779, 123.68],
    }  # fmt: skip


@pytest.mark.parametrize("given", expects.SAID)
@pytest.mark.parametrize("wanted", expects.SAID)
def test_the_map_leads_from_every_way_to_every_other(given, wanted, ways):
    scale, offset, flips = expects.change(given, wanted)
    x = ways[given][..., ::-1] if flips else ways[given]
    assert np.allclose(x * scale + offset, ways[wanted])


def test_each_way_is_recognised_by_its_values(ways):
    for way, image in ways.items():
        assert expects.seen(image.min(), image.max(), list(image.mean((0, 1)))) == way
    assert expects.seen(0.0, 1 / 255, [0.002] * 3) is None  # rescaled twice
    assert expects.seen(-0.97, 1.05, [0.0] * 3) == "tf"  # made darker or brighter since
    assert expects.seen(-300.0, 200.0, [0.0] * 3) is None
