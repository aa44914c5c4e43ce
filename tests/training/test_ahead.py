"""Batches made ahead in other processes: the same, bit for bit, however many; only where it pays."""

import random
from itertools import chain, count

import numpy as np
import pytest
import torch

from plateau_cause.errors import PlateauError
from plateau_cause.training import ahead, transform_inputs
from plateau_cause.training.transform_inputs import TransformInputs

CPU = torch.device("cpu")
BATCHES = [torch.tensor(rows) for rows in ([3, 0, 7], [1, 1, 2], [9])]


def tensor(image):
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255


def noisy(image, train):
    return tensor(image) + (random.random() + np.random.rand() + torch.rand(1) if train else 0.0)


def plain(image, train):
    return tensor(image)


@pytest.fixture
def epochs(tiny_dataset, monkeypatch):
    """Returns what two epochs of a transform are, made by so many workers."""

    def make(transform, workers):
        monkeypatch.setattr(transform_inputs, "workers_that_pay", lambda *_: workers)
        inputs = TransformInputs(tiny_dataset.store, transform, True, CPU)
        found = [
            list(inputs.training_batches(BATCHES, torch.Generator().manual_seed(seed))) for seed in (1, 2)
        ]
        return inputs, found

    return make


@pytest.mark.parametrize("transform", [noisy, plain])
def test_any_number_of_workers_gives_the_same(epochs, transform):
    _, expected = epochs(transform, 0)
    for workers in (1, 2):
        inputs, found = epochs(transform, workers)
        assert inputs._ahead is not None
        assert all(torch.equal(*pair) for pair in zip(chain(*found), chain(*expected), strict=True))
    assert torch.equal(expected[0][0], expected[1][0]) is (transform is plain)


def test_the_global_generators_stay_as_they_were(epochs):
    torch.manual_seed(5)
    random.seed(5)
    before = torch.get_rng_state(), random.getstate()
    for workers in (0, 1):
        epochs(plain, workers)
        assert torch.equal(torch.get_rng_state(), before[0])
        assert random.getstate() == before[1]


def test_what_has_a_generator_of_its_own_is_called_in_order_here(epochs):
    own = np.random.default_rng(0)
    inputs, _ = epochs(lambda image, train: tensor(image) + float(own.random()), 2)
    assert inputs._ahead is None


def test_what_counts_its_calls_is_called_here(epochs):
    class Counting:
        calls = 0

        def __call__(self, image, train):
            self.calls += 1
            return tensor(image)

    inputs, _ = epochs(Counting(), 2)
    assert inputs._ahead is None


def test_workers_follow_what_a_callback_changes(tiny_dataset, monkeypatch):
    monkeypatch.setattr(transform_inputs, "workers_that_pay", lambda *_: 1)

    class Annealed:
        strength = 1.0

        def __call__(self, image, train):
            return tensor(image) + self.strength * torch.rand(1)

    transform = Annealed()
    transform.strength = 1.0
    inputs = TransformInputs(tiny_dataset.store, transform, True, CPU)
    list(inputs.training_batches(BATCHES, torch.Generator()))
    transform.strength = 0.0
    (first, *_) = inputs.training_batches(BATCHES, torch.Generator())
    assert torch.equal(first[0], tensor(tiny_dataset.store.image(3)))


def test_an_error_in_a_worker_is_its_one_line(tiny_dataset, monkeypatch):
    monkeypatch.setattr(transform_inputs, "workers_that_pay", lambda *_: 1)
    monkeypatch.setattr(TransformInputs, "_is_seedable", lambda _: True)
    calls = count()

    def failing(image, train):
        if next(calls) > 40:
            raise ValueError("too dark")
        return tensor(image)

    inputs = TransformInputs(tiny_dataset.store, failing, True, CPU)
    many = [torch.arange(start, start + 10) for start in range(0, 50, 10)]
    with pytest.raises(PlateauError) as error:
        list(inputs.training_batches(many, torch.Generator()))
    assert error.value.lines == ("recipe.code: failing() raised ValueError: too dark",)


@pytest.mark.parametrize(
    ("work_s", "device", "cpus", "room", "workers"),
    [
        (1.0, "cuda", 16, 2**40, 0),  # over before processes have started
        (9.0, "cuda", 16, 2**40, 15),
        (9.0, "cuda", 64, 2**40, 16),
        (9.0, "cuda", 16, 7 * 2**20, 2),  # a container's shared memory
        (9.0, "cpu", 2, 2**40, 0),
        (9.0, "cpu", 16, 2**40, 4),
    ],
)
def test_only_where_it_pays(monkeypatch, work_s, device, cpus, room, workers):
    monkeypatch.setattr(ahead, "available_cpus", lambda: cpus)
    monkeypatch.setattr(ahead, "_room_bytes", lambda: room)
    assert ahead.workers_that_pay(work_s, 2**20, torch.device(device)) == workers
