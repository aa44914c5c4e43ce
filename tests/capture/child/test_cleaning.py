"""Transforms lose what is random in them, and nothing else; data sets of splits that share one are found."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import Dataset, Subset
from torchvision import transforms as v1
from torchvision.datasets.vision import StandardTransform, VisionDataset
from torchvision.transforms import v2

from plateau_cause.capture.child.describe.cleaning import changed, clean

IMAGE = Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8))


@pytest.mark.parametrize("t", [v1, v2], ids=["v1", "v2"])
def test_what_is_random_is_left_out(t):
    whole = t.Compose(
        [
            t.Resize((32, 32)),
            t.RandomApply([t.ColorJitter(0.5)], 0.5),
            t.Compose([t.RandomHorizontalFlip(), t.ToTensor()]),
            t.Normalize([0.5] * 3, [0.5] * 3),
            t.RandomErasing(1.0),
        ]
    )
    bare = t.Compose([t.Resize((32, 32)), t.ToTensor(), t.Normalize([0.5] * 3, [0.5] * 3)])
    torch.testing.assert_close(clean(whole)(IMAGE), bare(IMAGE))
    assert len(whole.transforms) == 5  # the script's own stays as it is


@pytest.mark.parametrize("t", [v1, v2], ids=["v1", "v2"])
@pytest.mark.parametrize("crop", ["RandomResizedCrop", "RandomCrop"])
def test_a_random_crop_is_the_middle(t, crop):
    made = clean(t.Compose([getattr(t, crop)(28), t.ToTensor()]))
    first, second = made(IMAGE), made(IMAGE)
    assert first.shape == (3, 28, 28) and torch.equal(first, second)


@pytest.mark.parametrize(
    "transform", [v1.Compose([v1.ToTensor()]), v2.Resize(8), None, abs, lambda image: image]
)
def test_what_holds_no_chance_is_itself(transform):
    assert clean(transform) is transform


def test_splits_that_share_a_data_set_are_found():
    whole = VisionDataset("", transform=v1.Compose([v1.RandomRotation(5), v1.ToTensor()]))
    found = changed(Subset(whole, [0, 1]))
    assert {(type(holder).__name__, name) for holder, name, *_ in found} == {
        ("VisionDataset", "transform"), ("VisionDataset", "transforms"),
    }  # fmt: skip
    assert isinstance(whole.transforms, StandardTransform)


def test_a_transform_that_is_chance_alone_leaves_images_as_they_are():
    class Own(Dataset):
        def __init__(self):
            self.flip = v1.RandomHorizontalFlip(1.0)

    ((_, name, _, cleaned),) = changed(Own())
    assert name == "flip" and cleaned(IMAGE) is IMAGE


def test_a_sequence_of_modules_loses_what_is_random():
    made = clean(torch.nn.Sequential(v2.Resize((8, 8)), v2.RandomErasing(1.0)))
    assert [type(step).__name__ for step in made] == ["Resize"]
    whole = torch.nn.Sequential(v2.Resize((8, 8)))
    assert clean(whole) is whole


def test_a_data_set_without_attributes_holds_none():
    assert changed([1, 2, 3]) == []
