"""Which images a loader reads, how often it draws them, and how it is given more."""

from types import SimpleNamespace

import pytest
import torch
from torch.utils.data import DataLoader, Subset, SubsetRandomSampler, TensorDataset, WeightedRandomSampler

from plateau_cause.capture.child.describe.data import _drawn
from plateau_cause.capture.child.describe.drawn import drawn, unread
from plateau_cause.capture.child.interventions.read_more import ReadMore

DATA = TensorDataset(torch.eye(12), torch.arange(12))


def subset(*items):
    return DataLoader(Subset(DATA, items), 2, shuffle=True)


class TestUnread:
    def test_what_no_loader_reads(self):
        first, second = subset(0, 1, 2), subset(2, 3)
        assert unread(first, [first, second]) == {"items": 3, "of": 12, "unread": 8}

    def test_a_sampler_names_them_too(self):
        first = DataLoader(DATA, 2, sampler=SubsetRandomSampler([4, 5]))
        assert unread(first, [first]) == {"items": 2, "of": 12, "unread": 10}

    def test_a_subset_of_a_subset_is_of_the_whole(self):
        inner = DataLoader(Subset(Subset(DATA, range(2, 10)), [0, 1]), 2)
        assert unread(inner, [inner]) == {"items": 2, "of": 12, "unread": 10}

    def test_unknown_where_one_reads_all(self):
        first, whole = subset(0, 1), DataLoader(DATA, 2)
        assert unread(first, [first, whole]) is None and unread(whole, [first, whole]) is None


@pytest.fixture
def grown(monkeypatch):
    monkeypatch.setattr(DataLoader, "__iter__", DataLoader.__iter__)

    def grow(loader, *others, times=2.0):
        change = ReadMore("read_more", {"loader": 0, "times": times})
        known = [SimpleNamespace(loader=one, place=None) for one in (loader, *others)]
        change.changes = SimpleNamespace(doors=SimpleNamespace(course=SimpleNamespace(loaders=known)))
        change.install(torch)
        for _ in range(2):
            read = sorted(torch.cat([batch[1] for batch in loader]).tolist())
        return change, read

    return grow


class TestReadMore:
    @pytest.mark.parametrize("make", [
        lambda: subset(0, 1, 2), lambda: DataLoader(DATA, 2, sampler=SubsetRandomSampler([0, 1, 2])),
    ])  # fmt: skip
    def test_images_that_nothing_reads(self, make, grown):
        loader, other = make(), subset(3, 4, 5)
        change, read = grown(loader, other)
        assert read == [0, 1, 2, 6, 8, 10] and change.told()["took"]
        assert drawn(other).items == {3, 4, 5} and len(loader) == 3

    def test_no_more_than_there_are(self, grown):
        assert grown(subset(*range(11)), times=3.0)[1] == [*range(12)]

    def test_nothing_to_add(self, grown):
        assert not grown(DataLoader(DATA, 2))[0].told()["took"]


class TestDrawn:
    seen = (SimpleNamespace(index=0, label=0), SimpleNamespace(index=2, label=0),
            SimpleNamespace(index=3, label=1))  # fmt: skip

    def test_the_weight_of_each_label(self):
        sampler = WeightedRandomSampler([1.0, 9.0, 3.0, 0.5], 4)
        assert _drawn(sampler, list(self.seen)) == {0: 2.0, 1: 0.5}

    def test_weights_of_something_else(self):
        assert _drawn(WeightedRandomSampler([1.0, 2.0], 4), list(self.seen)) is None
        assert _drawn(SubsetRandomSampler([0]), list(self.seen)) is None
