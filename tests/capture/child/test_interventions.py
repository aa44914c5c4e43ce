"""Interventions by hand: scripts that build their loaders, models and optimizers anew are repaired anew."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision.ops import StochasticDepth
from torchvision.transforms import v2

from plateau_cause.capture.child.doors.hooks import Hooks
from plateau_cause.capture.child.interventions.balanced import Balanced
from plateau_cause.capture.child.interventions.hold_parameters import HoldParameters
from plateau_cause.capture.child.interventions.keep_loaded import KeepLoaded
from plateau_cause.capture.child.interventions.no_decay import NoDecay
from plateau_cause.capture.child.interventions.no_dropout import NoDropout
from plateau_cause.capture.child.interventions.part import Drawn
from plateau_cause.capture.child.interventions.rate_full import RateFull
from plateau_cause.capture.child.interventions.rates_level import RatesLevel
from plateau_cause.capture.child.interventions.shuffle import Shuffle
from plateau_cause.capture.child.interventions.training_clean import TrainingClean
from plateau_cause.capture.child.interventions.training_length import TrainingLength
from plateau_cause.capture.child.interventions.unfreeze import Unfreeze


def network():
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))


class Bench:
    """What an intervention asks of a running script."""

    def __init__(self, kind):
        self.held, self.change = [], kind("x", {})
        stepping = SimpleNamespace(held=self.held, grad_scaler=None)
        doors = SimpleNamespace(stepping=stepping)
        self.change.changes = SimpleNamespace(interventions=[self.change], doors=doors)

    def optimizer(self, parameters):
        made = torch.optim.SGD(parameters, 0.1)
        self.held.append(SimpleNamespace(optimizer=made))
        return made

    def train(self, model, *optimizers, steps=4):
        """Returns how far the first layer moved."""
        before = model[0].weight.detach().clone()
        for _ in range(steps):
            self.change.given(SimpleNamespace(is_training=True, module=model))
            model(torch.ones(5, 4)).square().sum().backward()
            for one in optimizers:
                self.change.before_step(one)
                one.step()
                self.change.after_step(one)
            for one in optimizers:
                one.zero_grad()
        return float((model[0].weight.detach() - before).norm())


@pytest.mark.parametrize("kind", [HoldParameters, Unfreeze])
class TestHeldBesides:
    def model(self, kind):
        torch.manual_seed(0)
        made = network()
        made[0].requires_grad_(kind is HoldParameters)
        return made

    def test_in_every_fold(self, kind):
        bench = Bench(kind)
        for _ in range(3):
            model = self.model(kind)
            assert bench.train(model, bench.optimizer(model[2].parameters())) > 0

    def test_in_every_phase(self, kind):
        bench, model = Bench(kind), self.model(kind)
        for _ in range(2):
            assert bench.train(model, bench.optimizer(model[2].parameters())) > 0

    def test_beside_two_optimizers_once(self, kind):
        alone, both = Bench(kind), Bench(kind)
        one, other = self.model(kind), self.model(kind)
        moved = alone.train(one, alone.optimizer(one[2].parameters()))
        halves = [both.optimizer([weight]) for weight in other[2].parameters()]
        assert both.train(other, *halves) == pytest.approx(moved)


def test_no_layer_falls_far_behind_the_fastest():
    change = RatesLevel("rates_level", {"least": 0.1})
    groups = [{"params": [nn.Parameter(torch.zeros(1))], "lr": rate} for rate in (1e-9, 0.05, 0.2)]
    optimizer = torch.optim.SGD(groups)
    change.before_step(optimizer)
    assert [group["lr"] for group in optimizer.param_groups] == [pytest.approx(0.02), 0.05, 0.2]
    change.after_step(optimizer)
    assert [group["lr"] for group in optimizer.param_groups] == [1e-9, 0.05, 0.2] and change.times == 1


class TestShuffle:
    @pytest.fixture
    def known(self, monkeypatch):
        """The loaders of a script, as they are built."""
        monkeypatch.setattr(torch.utils.data.DataLoader, "__iter__", torch.utils.data.DataLoader.__iter__)
        change, known = Shuffle("shuffle", {"loader": 0}), []
        change.changes = SimpleNamespace(doors=SimpleNamespace(course=SimpleNamespace(loaders=known)))
        change.install(torch)
        return known

    def read(self, known, line):
        loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.arange(40)), 40)
        known.append(SimpleNamespace(loader=loader, place={"file": "train.py", "line": line}))
        return loader

    def is_in_order(self, loader):
        (batch,) = next(iter(loader))
        return batch.tolist() == list(range(40))

    def test_what_a_line_builds_again_is_shuffled_again(self, known):
        for _ in range(3):
            assert not self.is_in_order(self.read(known, line=3))
            assert self.is_in_order(self.read(known, line=4))

    def test_images_that_are_held_out_stay_so(self, known):
        loader = self.read(known, line=3)
        loader.batch_sampler.sampler = Drawn(range(20), list(range(0, 40, 2)))
        (batch,) = next(iter(loader))
        assert sorted(batch.tolist()) == list(range(0, 40, 2)) and batch.tolist() != sorted(batch.tolist())

    def test_of_two_that_a_line_builds_together_the_one_that_is_meant(self, known):
        for _ in range(3):
            train, val = self.read(known, line=3), self.read(known, line=3)
            assert not self.is_in_order(train) and self.is_in_order(val)


class TestBalanced:
    LABELS = torch.tensor([0] * 30 + [1] * 10)

    class Listed(torch.utils.data.TensorDataset):
        targets = [0] * 30 + [1] * 10

    @pytest.fixture(params=["read", "listed"])
    def loader(self, request, monkeypatch):
        """A loader of 40 images, 30 of one class, whose classes are drawn alike."""
        monkeypatch.setattr(torch.utils.data.DataLoader, "__iter__", torch.utils.data.DataLoader.__iter__)
        data_set = self.Listed if request.param == "listed" else torch.utils.data.TensorDataset
        made = torch.utils.data.DataLoader(data_set(torch.randn(40, 3, 4, 4), self.LABELS), 10)
        change, course = Balanced("balanced", {"loader": 0}), SimpleNamespace(loaders=[])
        course.loaders.append(SimpleNamespace(loader=made, place=None))
        change.changes = SimpleNamespace(doors=SimpleNamespace(course=course, hooks=Hooks()))
        change.install(torch)
        return made

    def test_classes_come_alike_and_an_epoch_is_as_long(self, loader):
        torch.manual_seed(0)
        drawn = torch.cat([labels for _ in range(20) for _, labels in loader])
        assert len(drawn) == 800 and 0.42 < drawn.float().mean() < 0.58

    def test_images_that_are_held_out_are_not_drawn(self, loader):
        loader.batch_sampler.sampler = Drawn(range(20), list(range(20, 40)))
        torch.manual_seed(0)
        before = {tuple(image.flatten().tolist()) for image in loader.dataset.tensors[0][:20]}
        drawn = [image for _ in range(5) for images, _ in loader for image in images]
        assert len(drawn) == 100 and all(tuple(one.flatten().tolist()) not in before for one in drawn)


class TestTrainingClean:
    """Two loaders whose images chance changes; that of training is the first."""

    class Images(torch.utils.data.Dataset):
        def __init__(self):
            self.transform = v2.Compose([v2.RandomHorizontalFlip(1.0), v2.Identity()])

        def __len__(self):
            return 1

        def __getitem__(self, index):
            return self.transform(torch.arange(3.0).reshape(1, 1, 3))

    @pytest.fixture
    def known(self, monkeypatch):
        known = []
        monkeypatch.setattr(DataLoader, "__iter__", DataLoader.__iter__)
        change = TrainingClean("training_clean", {"loader": 0})
        change.changes = SimpleNamespace(doors=SimpleNamespace(course=SimpleNamespace(loaders=known)))
        change.install(torch)
        return known, change

    @staticmethod
    def read(loader):
        return next(iter(loader)).flatten().tolist()

    def test_training_alone_reads_images_as_they_are(self, known):
        noted, change = known
        noted += [SimpleNamespace(loader=DataLoader(self.Images()), place=line, role=None) for line in (1, 2)]
        train, other = (one.loader for one in noted)
        assert [self.read(train), self.read(other), self.read(train)] == [[0, 1, 2], [2, 1, 0], [0, 1, 2]]
        assert (change.told()["took"], change.failed) == (True, None)

    def test_a_data_set_that_both_read_changes_with_the_reader(self, known):
        noted, _ = known
        images = self.Images()
        noted += [SimpleNamespace(loader=DataLoader(images), place=line, role=None) for line in (1, 2)]
        train, other = (one.loader for one in noted)
        assert [self.read(train), self.read(other), self.read(train)] == [[0, 1, 2], [2, 1, 0], [0, 1, 2]]


class TestLessRegularization:
    def test_no_layer_drops_while_it_trains(self):
        model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.9), StochasticDepth(0.5, "row"))
        change = NoDropout("no_dropout", {})
        change.given(SimpleNamespace(is_training=False, module=model))
        assert (model[1].p, change.told()["took"]) == (0.9, False)
        change.given(SimpleNamespace(is_training=True, module=model))
        assert (model[1].p, model[2].p, change.times) == (0.0, 0.0, 2)
        change.given(SimpleNamespace(is_training=True, module=model))
        assert change.times == 2

    @pytest.mark.parametrize("decay", [0.0, 5.0])
    def test_weights_are_pulled_nowhere(self, decay):
        weight = nn.Parameter(torch.ones(3))
        weight.grad = torch.zeros(3)
        optimizer = torch.optim.SGD([weight], 0.1, weight_decay=decay)
        change = NoDecay("no_decay", {})
        change.before_step(optimizer)
        optimizer.step()
        change.after_step(optimizer)
        assert weight.tolist() == [1.0, 1.0, 1.0]
        assert optimizer.param_groups[0]["weight_decay"] == decay
        assert change.told()["took"] is (decay > 0)


class TestTrainingLength:
    @pytest.fixture
    def known(self, monkeypatch):
        """The loaders of a script, noted as they are built."""
        loader_class, known = torch.utils.data.DataLoader, []
        built = loader_class.__init__

        def noted(loader, *arguments, line, **named):
            built(loader, *arguments, **named)
            known.append(SimpleNamespace(loader=loader, place={"file": "train.py", "line": line}))

        monkeypatch.setattr(loader_class, "__iter__", loader_class.__iter__)
        monkeypatch.setattr(loader_class, "__init__", noted)
        self.change = TrainingLength("training_length", {"loader": 0, "times": 3})
        self.change.changes = SimpleNamespace(doors=SimpleNamespace(course=SimpleNamespace(loaders=known)))
        self.change.install(torch)
        return known

    def loader(self, line, **named):
        images = torch.utils.data.TensorDataset(torch.arange(10))
        return torch.utils.data.DataLoader(images, 4, line=line, **named)

    def drawn(self, loader):
        return [number for (batch,) in loader for number in batch.tolist()]

    def test_an_epoch_reads_everything_several_times_and_says_so(self, known):
        loader = self.loader(3, shuffle=True)
        drawn = self.drawn(loader)
        assert len(loader) == 8  # 30 images in batches of 4
        assert [sorted(drawn[start : start + 10]) for start in (0, 10, 20)] == [list(range(10))] * 3
        assert drawn[:10] != drawn[10:20]
        assert self.change.told() == {"took": True, "words": None}

    def test_other_loaders_are_left_alone(self, known):
        self.loader(3)
        assert self.drawn(self.loader(4)) == list(range(10))

    def test_of_two_that_a_line_builds_together_the_one_that_is_meant(self, known):
        for _ in range(2):
            train, val = self.loader(3), self.loader(3)
            assert (len(self.drawn(train)), len(self.drawn(val))) == (30, 10)

    def test_who_reads_no_further_was_not_changed(self, known):
        next(iter(self.loader(3)))
        assert not self.change.told()["took"]

    def test_a_sampler_keeps_its_own_methods(self, known):
        sampler = torch.utils.data.DistributedSampler(range(10), 1, 0)
        self.loader(3, sampler=sampler).batch_sampler.sampler.set_epoch(7)
        assert sampler.epoch == 7


@pytest.mark.parametrize(("written", "now"), [({"initial_lr": 0.1}, 0.1), ({"max_lr": 0.2}, 0.2), ({}, 1e-4)])
def test_the_full_rate_is_the_one_that_a_warm_up_leads_to(written, now):
    model, change = network(), RateFull("rate_full", {})
    optimizer = torch.optim.SGD(model.parameters(), 1e-4)
    optimizer.param_groups[0].update(written)
    change.before_step(optimizer)
    assert optimizer.param_groups[0]["lr"] == now
    change.after_step(optimizer)
    assert optimizer.param_groups[0]["lr"] == 1e-4
    assert change.told()["took"] is bool(written)


@pytest.fixture
def untouched(monkeypatch):
    """Lets a test wrap `load_state_dict`."""
    monkeypatch.setattr(nn.Module, "load_state_dict", nn.Module.load_state_dict)


def test_loaded_weights_are_kept(untouched):
    change, model, given = KeepLoaded("keep_loaded", {}), network(), network().state_dict()
    change.install(torch)
    del given["2.weight"], given["2.bias"]  # of another number of classes
    model.load_state_dict(given, strict=False)
    nn.init.normal_(model[0].weight), nn.init.normal_(model[2].weight)
    own = model[2].weight.detach().clone()
    change.given(SimpleNamespace(is_training=False, module=model))
    assert not torch.equal(model[0].weight, given["0.weight"])
    change.given(SimpleNamespace(is_training=True, module=model))
    assert torch.equal(model[0].weight, given["0.weight"]) and torch.equal(model[2].weight, own)
    assert change.told()["took"]
    nn.init.zeros_(model[0].weight)  # trained meanwhile: another load, of the best epoch say, is the script's
    change.given(SimpleNamespace(is_training=True, module=model))
    assert not model[0].weight.any()


def test_nothing_is_kept_where_nothing_was_written_over(untouched):
    change, model = KeepLoaded("keep_loaded", {}), network()
    change.install(torch)
    model.load_state_dict(network().state_dict())
    change.given(SimpleNamespace(is_training=True, module=model))
    assert not change.told()["took"]


def test_of_weights_that_are_loaded_twice_the_last_are_kept(untouched):
    change, model = KeepLoaded("keep_loaded", {}), network()
    change.install(torch)
    first, last = network().state_dict(), network().state_dict()
    model.load_state_dict(first), model.load_state_dict(last)
    change.given(SimpleNamespace(is_training=True, module=model))
    assert torch.equal(model[0].weight, last["0.weight"]) and not change.told()["took"]


@pytest.mark.parametrize("is_meant", [True, False])
def test_what_was_loaded_into_a_twin_is_put_into_the_trained_model(is_meant, untouched):
    change, other, model = KeepLoaded("keep_loaded", {"twin": True} if is_meant else {}), network(), network()
    change.install(torch)
    other.load_state_dict(network().state_dict())
    whole = nn.ModuleList([nn.Flatten(), model])
    change.given(SimpleNamespace(is_training=True, module=whole))
    assert torch.equal(model[0].weight, other[0].weight) is is_meant
    assert change.told()["took"] is is_meant


def test_a_rate_that_falls_by_hand_is_kept_as_it_was_at_first():
    change, optimizer = RateFull("rate_full", {}), torch.optim.SGD(network().parameters(), 0.1)
    for rate in (0.1, 0.01):
        optimizer.param_groups[0]["lr"] = rate
        change.before_step(optimizer)
        assert optimizer.param_groups[0]["lr"] == 0.1
        change.after_step(optimizer)
    assert change.told()["took"]
