"""Which part of an image a transform keeps, and its colours, by hand."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torchvision.transforms import v2

from plateau_cause.capture.child.describe.seeing import is_grey, part_seen

UNIT = {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25], "channels": "rgb"}
END = (v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.5] * 3, [0.25] * 3))
RAW = np.random.default_rng(0).integers(0, 255, (64, 96, 3)).astype("uint8")


def sample(image=RAW, tensor=None):
    return SimpleNamespace(raw=SimpleNamespace(image=image), tensor=tensor)


@pytest.mark.parametrize(
    ("steps", "part"),
    [
        ([v2.Resize((32, 32))], 1.0),
        ([v2.RandomHorizontalFlip(), v2.Resize((32, 32))], 1.0),
        ([v2.Resize((128, 128)), v2.CenterCrop(32)], 1 / 16),
        ([v2.Resize(32), v2.CenterCrop(32)], 2 / 3),
        ([v2.RandomResizedCrop(32, scale=(0.25, 0.25), ratio=(1.0, 1.0))], 0.25),
        ([v2.CenterCrop(32)], 32 * 32 / (64 * 96)),
    ],
)
def test_the_part_of_an_image_that_is_kept(steps, part):
    data_set = SimpleNamespace(transform=v2.Compose([*steps, *END]))
    assert part_seen(data_set, [sample()], UNIT) == pytest.approx(part, rel=0.1)
    turned = {**UNIT, "channels": "bgr"}
    data_set.transform = v2.Compose([*steps, *END, lambda image: image.flip(0)])
    assert part_seen(data_set, [sample()], turned) == pytest.approx(part, rel=0.1)


def test_unknown_where_nothing_can_be_told():
    kept = SimpleNamespace(transform=v2.Compose([v2.Resize((32, 32)), *END]))
    assert part_seen(SimpleNamespace(), [sample()], UNIT) is None
    assert part_seen(kept, [sample()], None) is None
    assert part_seen(kept, [SimpleNamespace(raw=None)], UNIT) is None
    assert part_seen(SimpleNamespace(transform=lambda image: torch.zeros(5)), [sample()], UNIT) is None


def test_chance_is_as_it_was():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    part_seen(SimpleNamespace(transform=v2.Compose([v2.RandomResizedCrop(32), *END])), [sample()], UNIT)
    assert torch.equal(torch.rand(2), expected)


def test_images_that_lose_their_colours():
    coloured = (torch.from_numpy(RAW / 255.0).permute(2, 0, 1) - 0.5) / 0.25
    grey = coloured.mean(0, keepdim=True).expand(3, -1, -1)
    flat = np.repeat(RAW[..., :1], 3, 2)
    assert is_grey([sample(tensor=grey)], UNIT) is True
    assert is_grey([sample(tensor=coloured)], UNIT) is False
    assert is_grey([sample(flat, grey)], UNIT) is None  # they had none
    assert is_grey([sample(tensor=grey[:1])], UNIT) is None and is_grey([], UNIT) is None
