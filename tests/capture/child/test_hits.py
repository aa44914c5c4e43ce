"""Which passes are over held-out images: training may share the data set, folds change it."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, RandomSampler, Subset, SubsetRandomSampler, TensorDataset

from plateau_cause.capture.child.describe.drawn import Drawn, drawn, sampler_of
from plateau_cause.capture.child.doors.hooks import Hooks
from plateau_cause.capture.child.hits import Hits
from plateau_cause.capture.child.measure import measured
from plateau_cause.capture.child.passes import Forward, Loader, Pass

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
        self.count = 0
        losing, self.course = SimpleNamespace(middle=None), SimpleNamespace(open=[], backwards=0)
        doors = SimpleNamespace(losing=losing, course=self.course)
        self.hits = Hits(SimpleNamespace(doors=doors, labels=lambda given: given))

    def begun(self, read, backwards=0):
        self.count += 1
        return Pass(read, None, backwards=backwards, number=self.count)

    def train(self, read):
        self.course.backwards += 1
        self.hits.trained(self.begun(read))

    def evaluate(self, read, right=True):
        of = self.begun(read)
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


def test_training_under_way_counts():
    script = Script()
    script.course.backwards = 2
    script.course.open.append(script.begun(loader([0, 1, 2, 3], 1), backwards=2))
    script.evaluate(loader([0, 1, 2], 2))
    script.evaluate(loader([4, 5], 3))
    assert script.judged() == {"val": (2, 2)}


def test_a_pass_of_an_earlier_fold_that_was_left_open_does_not():
    script = Script()
    script.course.open.append(script.begun(loader([4, 5, 6, 7], 1), backwards=2))
    script.train(loader([0, 1, 2, 3], 1))
    script.evaluate(loader([4, 5, 6, 7], 2))
    assert script.judged() == {"val": (4, 4)}


def test_every_data_set_that_is_trained_on():
    script, other = Script(), TensorDataset(torch.eye(12), LABELS)
    script.train(loader(line=1))
    script.train(Loader(DataLoader(other, 4), 2))
    script.evaluate(loader(line=3))
    script.evaluate(Loader(DataLoader(other, 4), 4))
    assert script.judged() == {}


def test_a_leak_of_a_few_images_is_no_reason_to_judge_nothing():
    script = Script()
    script.train(loader(list(range(9)), 1))
    script.evaluate(loader([8, 9, 10, 11], 2))
    assert script.judged() == {"val": (4, 4)}


def test_what_is_read_before_any_training_judges_nothing_that_was_trained():
    script = Script()
    for line in (1, 2):  # features are computed, say
        script.evaluate(loader(line=line), right=False)
    script.train(loader([0, 1, 2], 3))
    script.evaluate(loader([6, 7, 8], 4))
    assert script.judged() == {"val": (3, 3)}


def test_windows_of_one_validation_set_are_no_folds():
    script = Script()
    for window in ([6, 7, 8], [9, 10, 11]):
        script.train(loader([0, 1, 2], 1))
        script.evaluate(loader(window, 2))
    assert script.judged() == {"val": (3, 3)}


def test_a_stream_that_is_trained_on_is_not_held_out():
    class Stream(torch.utils.data.IterableDataset):
        def __iter__(self):
            return iter(DATA)

    stream = Stream()
    script = Script()
    script.train(Loader(DataLoader(stream, 4), 1))
    script.evaluate(Loader(DataLoader(stream, 4), 2))
    assert script.judged() == {}


def test_what_the_script_never_evaluates_is_measured_as_its_sampler_says():
    model = torch.nn.Linear(12, 2)
    images = torch.zeros(4, 12)
    call = Forward(model, None, None, [images], None, True, arguments=(images,), batch=[images, LABELS[:4]])
    seen = []
    measured(loader([4, 5, 6]).loader, call, Hooks(), hear=lambda output, batch: seen.append(batch[1]))
    assert [one.tolist() for one in seen] == [LABELS[[4, 5, 6]].tolist()]


class Oversampled(torch.utils.data.Dataset):
    """Reads each item of another data set twice."""

    def __init__(self):
        self.dataset, self.indices = DATA, [3, 4]

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return self.dataset[self.indices[index // 2]]


def test_what_is_like_a_subset_and_none_is_a_data_set_of_its_own():
    given = Oversampled()
    assert drawn(DataLoader(given, 2)) == Drawn(id(given), None)


def test_a_sampler_of_batches_is_what_orders_a_loader():
    class Batches:
        def __iter__(self):
            return iter([[0, 1]])

        def __len__(self):
            return 1

    batches = Batches()
    assert sampler_of(DataLoader(DATA, batch_sampler=batches)) is batches


@pytest.mark.parametrize(
    ("given", "items"),
    [
        (DataLoader(DATA, 4, sampler=[3, 5]), {3, 5}),
        (DataLoader(DATA, 4, sampler=np.array([3, 5])), {3, 5}),
        (DataLoader(DATA, 4, sampler=SubsetRandomSampler(list(np.array([3, 5])))), {3, 5}),
        (DataLoader(Subset(DATA, [2, 4, 6]), 2, sampler=SubsetRandomSampler([0, 2])), {2, 6}),
        (DataLoader(Subset(Subset(DATA, [2, 4, 6]), [1])), {4}),
        (DataLoader(DATA, 4, sampler=RandomSampler(DATA)), None),
    ],
)
def test_what_a_loader_reads(given, items):
    assert drawn(given).items == items and drawn(given).of == id(DATA)
