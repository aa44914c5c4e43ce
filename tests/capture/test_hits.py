"""Which passes are over held-out images: training may share the data set, folds change it."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, RandomSampler, Subset, SubsetRandomSampler, TensorDataset

from plateau_cause.capture.child.course import Forward, Loader, Pass
from plateau_cause.capture.child.drawn import drawn
from plateau_cause.capture.child.hits import Hits

LABELS = torch.tensor([0, 1] * 6)
DATA = TensorDataset(torch.eye(12), LABELS)


def loader(items=None, line=1, by_sampler=True):
    if items is None:
        made = DataLoader(DATA, 4)
    elif by_sampler:
        made = DataLoader(DATA, 4, sampler=SubsetRandomSampler(items))
    else:
        made = DataLoader(Subset(DATA, items), 4)
    return Loader(made, line)


class Script:
    """Passes of a script, one after the other; a model that is `right` says each label, else never."""

    def __init__(self):
        losing, course = SimpleNamespace(middle=None), SimpleNamespace(open=[])
        self.hits = Hits(
            SimpleNamespace(doors=SimpleNamespace(losing=losing, course=course), labels=lambda given: given)
        )

    def train(self, read):
        self.hits.trained(Pass(read, None))

    def evaluate(self, read, right=True):
        of = Pass(read, None)
        for images, labels in read.loader:
            shown = labels if right else 1 - labels
            output = torch.nn.functional.one_hot(shown, 2).float()
            self.hits.add(Forward(None, None, None, [images], output, False, of=of, batch=(images, labels)))
        self.hits.close(of)

    def judged(self):
        """Returns images and hits of each split."""
        return {name: (len(one.array()), int(one.array().sum())) for name, one in self.hits.sheets().items()}


@pytest.mark.parametrize("by_sampler", [True, False])
def test_one_data_set_shared_by_both(by_sampler):
    script = Script()
    train, val = loader([0, 1, 2, 3], 1, by_sampler), loader([4, 5, 6], 2, by_sampler)
    script.train(train)
    script.evaluate(val)
    script.evaluate(train)
    assert script.judged() == {"val": (3, 3)}


def test_training_images_are_not_held_out_whenever_they_are_evaluated():
    script = Script()
    script.evaluate(loader(line=1))
    script.train(loader(line=2))
    script.evaluate(loader(line=3))
    assert script.judged() == {}


@pytest.mark.parametrize("by_sampler", [True, False])
def test_folds_are_judged_together_each_by_its_own_model(by_sampler):
    script = Script()
    for fold in range(3):
        held = list(range(4 * fold, 4 * fold + 4))
        train = loader([one for one in range(12) if one not in held], 1, by_sampler)
        for epoch in range(2):  # the last one counts
            script.train(train)
            script.evaluate(loader(held, 2, by_sampler), right=epoch > 0 and fold > 0)
    assert script.judged() == {"val": (12, 8)}


def test_a_loader_that_is_built_again_is_the_same():
    script = Script()
    for right in (False, True):
        script.train(loader([0, 1], 1))
        script.evaluate(loader([2, 3, 4], 2), right)
    assert script.judged() == {"val": (3, 3)}


@pytest.mark.parametrize(
    ("given", "items"),
    [
        (DataLoader(DATA, 4, sampler=[3, 5]), {3, 5}),
        (DataLoader(DATA, 4, sampler=np.array([3, 5])), {3, 5}),
        (DataLoader(DATA, 4, sampler=SubsetRandomSampler(list(np.array([3, 5])))), {3, 5}),
        (DataLoader(Subset(DATA, [2, 4, 6]), 2, sampler=SubsetRandomSampler([0, 2])), {2, 6}),
        (DataLoader(Subset(Subset(DATA, [2, 4, 6]), [1])), {4}),
        (DataLoader(DATA, 4, sampler=RandomSampler(DATA)), set(range(12))),
    ],
)
def test_what_a_loader_reads(given, items):
    assert drawn(given).items == items and drawn(given).of == id(DATA)
