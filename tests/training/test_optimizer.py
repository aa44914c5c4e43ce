"""Optimisers hold what they should, and rates follow their schedules."""

import pytest
import torch
from torch import nn

from plateau_cause.config import recipe
from plateau_cause.training import optimizer


def factors(steps=20, **schedule):
    return [optimizer.factor(recipe.Schedule(**schedule), step, steps) for step in range(steps)]


class TestSchedules:
    def test_constant(self):
        assert factors(name="constant") == [1.0] * 20

    def test_warmup_rises_evenly_to_the_peak(self):
        found = factors(name="constant", warmup=0.2)
        assert found[:5] == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0])

    def test_cosine_falls_from_one_towards_zero(self):
        found = factors(name="cosine")
        assert found[0] == 1.0
        assert found[10] == pytest.approx(0.5)
        assert 0 < found[-1] < 0.01
        assert found == sorted(found, reverse=True)

    @pytest.mark.parametrize("warmup", [0.0, 0.15, 0.45])
    @pytest.mark.parametrize("name", ["adamw", "adam", "sgd", "rmsprop"])
    @pytest.mark.parametrize("steps", [1, 2, 3, 7, 40])
    def test_one_cycle_is_what_pytorch_calls_so(self, model, name, warmup, steps):
        schedule = recipe.Schedule(name="one_cycle", warmup=warmup)
        ours, theirs = (
            optimizer.build(recipe.Optimizer(name=name, learning_rate=0.3), list(model.parameters()))
            for _ in range(2)
        )
        given = torch.optim.lr_scheduler.OneCycleLR(theirs, 0.3, total_steps=steps, pct_start=warmup or 0.3)
        for step in range(steps):
            optimizer.follow(ours, schedule, [0.3], step, steps)
            for key in ("lr", "momentum", "betas"):
                expected = theirs.param_groups[0].get(key)
                assert ours.param_groups[0].get(key) == pytest.approx(expected), (key, step)
            theirs.step()
            if step < steps - 1:
                given.step()

    def test_the_others_leave_the_momentum_alone(self, model):
        built = optimizer.build(recipe.Optimizer(name="sgd", momentum=0.3), list(model.parameters()))
        optimizer.follow(built, recipe.Schedule(name="cosine"), [0.1], 3, 20)
        assert built.param_groups[0]["momentum"] == 0.3

    @pytest.mark.parametrize("name", ["constant", "cosine", "one_cycle"])
    @pytest.mark.parametrize("warmup", [0.0, 0.5, 1.0])
    @pytest.mark.parametrize("steps", [1, 2, 7])
    def test_never_leaves_its_range(self, name, warmup, steps):
        assert all(0 <= factor <= 1 for factor in factors(steps, name=name, warmup=warmup))


class Fading(torch.optim.SGD):
    def step(self, closure=None):
        super().step(closure)
        for group in self.param_groups:
            group["lr"] *= 0.5


@pytest.mark.parametrize("name", ["constant", "cosine"])
def test_an_optimizer_that_lowers_its_own_rate_does_so_under_a_schedule_too(name):
    parameter = torch.nn.Parameter(torch.ones(1))
    parameter.grad = torch.zeros(1)
    schedule, peaks, seen = recipe.Schedule(name=name), [0.1], []
    built = Fading([parameter], lr=0.1)
    for step in range(4):
        optimizer.follow(built, schedule, peaks, step, 4)
        seen.append(built.param_groups[0]["lr"])
        built.step()
    planned = [0.1 * optimizer.factor(schedule, step, 4) for step in range(4)]
    assert seen == pytest.approx([rate * 0.5**step for step, rate in enumerate(planned)])


@pytest.fixture
def model():
    """A body of 6 numbers and a head of 3; the body's bias is frozen."""
    built = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    built[0].bias.requires_grad_(False)
    return built


class TestHeld:
    @pytest.mark.parametrize(("which", "numbers"), [("trainable", 7), ("head", 3), ("backbone", 4)])
    def test_holds_what_it_says(self, model, which, numbers):
        found = optimizer.held(which, model, model[1].parameters())
        assert sum(parameter.numel() for parameter in found) == numbers

    def test_nothing_to_hold_is_no_optimizer(self, model):
        assert optimizer.build(recipe.Optimizer(), []) is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("adamw", torch.optim.AdamW),
        ("adam", torch.optim.Adam),
        ("sgd", torch.optim.SGD),
        ("rmsprop", torch.optim.RMSprop),
    ],
)
def test_builds_and_describes_what_is_declared(model, name, kind):
    declared = recipe.Optimizer(name=name, learning_rate=0.02, weight_decay=0.3, momentum=0.7)
    built = optimizer.build(declared, list(model.parameters()))
    assert type(built) is kind
    found = optimizer.describe(built)
    assert (found["name"], found["learning_rate"], found["weight_decay"]) == (name, 0.02, 0.3)
    assert found["momentum"] == (0.7 if name in ("sgd", "rmsprop") else 0.0)


def groups(model):
    return torch.optim.SGD(
        [{"params": [model[0].weight], "lr": 0.01}, {"params": [model[1].bias], "lr": 0.1}], lr=1
    )


def test_the_rate_of_most_parameters_is_the_rate(model):
    assert optimizer.describe(groups(model))["learning_rate"] == 0.01


def test_rescaling_keeps_the_ratio_of_the_groups(model):
    built = groups(model)
    optimizer.rescale_learning_rate(built, 0.05)
    assert [group["lr"] for group in built.param_groups] == pytest.approx([0.05, 0.5])
    for group in built.param_groups:
        group["lr"] = 0.0
    optimizer.rescale_learning_rate(built, 0.05)
    assert [group["lr"] for group in built.param_groups] == [0.05, 0.05]


def test_missing_parameters_join_under_the_first_groups_settings(model):
    built = groups(model)
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimizer.add_missing(built, trainable)
    holding = [p for group in built.param_groups for p in group["params"]]
    assert sorted(map(id, holding)) == sorted(map(id, trainable))
    assert [group["lr"] for group in built.param_groups] == [0.01, 0.1, 0.01]
    optimizer.add_missing(built, trainable)
    assert len(built.param_groups) == 3


def test_weight_decay_of_every_group(model):
    built = groups(model)
    optimizer.set_weight_decay(built, 0.4)
    assert [group["weight_decay"] for group in built.param_groups] == [0.4, 0.4]


def test_rates_are_multiples_of_the_groups_own_peaks(model):
    built = groups(model)
    optimizer.set_learning_rate(built, [0.01, 0.1], 0.5)
    assert [group["lr"] for group in built.param_groups] == [0.005, 0.05]


class Standing(torch.optim.SGD):
    """Leaves gradients standing."""

    def zero_grad(self, set_to_none=True):
        pass


class Halved(torch.optim.SGD):
    """Clears the first group only."""

    def zero_grad(self, set_to_none=True):
        for parameter in self.param_groups[0]["params"]:
            parameter.grad = None


def two_groups(kind):
    weights = [torch.nn.Parameter(torch.ones(2)) for _ in range(2)]
    return kind([{"params": [weight]} for weight in weights], lr=0.1)


@pytest.mark.parametrize(("kind", "left"), [(torch.optim.SGD, 0), (Standing, 2), (Halved, 1)])
def test_gradients_that_are_left_standing_are_seen_and_left_or_cleared(kind, left):
    made = two_groups(kind)
    weights = [parameter for group in made.param_groups for parameter in group["params"]]
    assert optimizer.clears(made) == (left == 0)
    assert all(weight.grad is None for weight in weights)  # looking leaves nothing behind
    for surely, expected in ((False, 2 if kind is torch.optim.SGD else left), (True, 0)):
        for weight in weights:
            weight.grad = torch.ones(2)
        optimizer.clear(made, surely)
        assert sum(weight.grad is not None for weight in weights) == expected


def test_one_whose_clearing_was_taken_away_is_seen():
    made = two_groups(torch.optim.AdamW)
    made.zero_grad = lambda *given, **named: None
    assert not optimizer.clears(made)
