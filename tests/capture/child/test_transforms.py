"""The pipeline of torchvision behind a function or an object of the user's own is what is described."""

from types import SimpleNamespace

import pytest
import torch
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset
from torchvision.transforms import v2

from plateau_cause.capture.child.describe import cleaning
from plateau_cause.capture.child.describe.data import _shuffles
from plateau_cause.capture.child.describe.transforms import held_transform, steps, unfolded

PIPELINE = v2.Compose([v2.RandomCrop(4), v2.ToImage()])
SECOND = v2.Compose([v2.ToImage()])


class Preset:
    def __init__(self, *pipelines):
        for number, one in enumerate(pipelines):
            setattr(self, f"transforms{number or ''}", one)

    def __call__(self, image):
        return self.transforms(image)


def by_global(image):
    return PIPELINE(image)


def by_comprehension(batch):
    return [PIPELINE(one) for one in batch]


def by_closure(pipeline):
    return lambda batch: [pipeline(one) for one in batch]


def empty():
    def call(image):
        return later(image)

    return call
    later = PIPELINE
    return None


@pytest.mark.parametrize(
    "holder", [Preset(PIPELINE), by_global, by_comprehension, by_closure(PIPELINE), Preset(PIPELINE).__call__]
)
def test_one_pipeline_is_found(holder):
    found = unfolded(holder)
    assert found is PIPELINE or (callable(holder) and unfolded(getattr(holder, "__self__", None)) is PIPELINE)


@pytest.mark.parametrize("holder", [Preset(PIPELINE, SECOND), PIPELINE, torch.relu, abs, empty()])
def test_two_or_none_are_left(holder):
    assert unfolded(holder) is holder


def test_its_steps_are_told():
    assert [one.partition("(")[0] for one in steps(unfolded(Preset(PIPELINE)))] == ["RandomCrop", "ToImage"]


def test_a_data_set_with_a_format_holds_one():
    data = SimpleNamespace(format={"type": "custom", "format_kwargs": {"transform": by_global}})
    assert held_transform(data) is by_global


def test_what_an_object_holds_is_cleaned_in_a_copy():
    holder = Preset(PIPELINE)
    cleaned = cleaning.clean(holder)
    assert [type(one).__name__ for one in cleaned.transforms.transforms] == ["CenterCrop", "ToImage"]
    assert holder.transforms is PIPELINE and cleaning.clean(Preset(SECOND)).transforms is SECOND


@pytest.mark.parametrize("shuffle", [True, False])
def test_a_sampler_that_is_told_not_to_shuffle_does_not(shuffle):
    data = TensorDataset(torch.zeros(6, 1))
    sampler = DistributedSampler(data, num_replicas=1, rank=0, shuffle=shuffle)
    assert _shuffles(DataLoader(data, 2, sampler=sampler)) is shuffle
