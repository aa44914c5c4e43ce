"""Training repeats bit for bit, goes on where it was killed, and measures what it says."""

import numpy as np
import pytest
import torch
from tiny import make_arm
from torch import nn

from plateau_cause.config.recipe import Recipe, put
from plateau_cause.lab import build
from plateau_cause.training import checkpoint, loop, losses, optimizer, signals, task

HARD = {
    "augmentation": "strong",
    "head.dropout": 0.3,
    "optimizer.momentum": 0.9,
    "schedule.name": "one_cycle",
    "schedule.epochs": 4,
    "schedule.keep": "best",
    "sampler": "balanced",
}


class KilledError(Exception):
    pass


def equal(one: task.Outcome, other: task.Outcome) -> bool:
    same = (
        one.history == other.history and one.signals == other.signals and one.kept_epoch == other.kept_epoch
    )
    return same and all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in ("val_outputs", "test_outputs")
    )


@pytest.mark.parametrize("optimizer_name", ["adamw", "adam", "sgd", "rmsprop"])
def test_repeats_bit_for_bit(make_lab, optimizer_name):
    arm = make_arm({**HARD, "optimizer.name": optimizer_name})
    first, second = (loop.train(build.task(make_lab(), arm)) for _ in range(2))
    assert equal(first, second)
    other = loop.train(build.task(make_lab(), arm.with_seed(1)))
    assert not equal(first, other)


@pytest.mark.parametrize("optimizer_name", ["adamw", "sgd"])
@pytest.mark.parametrize("last_epoch", [1, 2, 4])
def test_goes_on_where_it_was_killed(make_lab, tmp_path, monkeypatch, optimizer_name, last_epoch):
    monkeypatch.setattr(checkpoint, "SAVE_EVERY_S", 0.0)
    arm = make_arm({**HARD, "optimizer.name": optimizer_name})
    whole = loop.train(build.task(make_lab(), arm))

    def kill(row):
        if row["epoch"] == last_epoch:
            raise KilledError

    path = tmp_path / "run.pt"
    with pytest.raises(KilledError):
        loop.train(build.task(make_lab(), arm), path, kill)
    assert path.exists()
    seen = []
    resumed = loop.train(build.task(make_lab(), arm), path, seen.append)
    assert [row["epoch"] for row in seen] == list(range(last_epoch + 1, 5))
    assert equal(resumed, whole)
    assert not path.exists()


def test_a_loss_that_is_not_a_number_ends_the_run_also_after_a_kill(make_lab, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "SAVE_EVERY_S", 0.0)
    arm = make_arm({"optimizer.name": "sgd", "optimizer.learning_rate": 1000.0, "schedule.epochs": 5})
    made = build.task(make_lab(), arm)
    made.loss = lambda output, target: output.sum() * float("nan")

    def kill(row):
        raise KilledError

    with pytest.raises(KilledError):
        loop.train(made, tmp_path / "run.pt", kill)
    resumed = loop.train(made, tmp_path / "run.pt")
    assert len(resumed.history) == 1


class Rows:
    """Inputs that are what they are: rows of a table."""

    def __init__(self, table: torch.Tensor) -> None:
        self.table = table

    def training(self, rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        return self.table[rows]

    def training_batches(self, batches, generator):
        return (self.training(rows, generator) for rows in batches)

    def evaluation(self, rows: torch.Tensor) -> torch.Tensor:
        return self.table[rows]


def exact_task(**values) -> task.Task:
    """One linear layer of zeros on two one-hot inputs, plain gradient descent: all can be done by hand."""
    model = nn.Linear(2, 2, bias=False)
    nn.init.zeros_(model.weight)
    given = {
        "optimizer.name": "sgd",
        "optimizer.momentum": 0.0,
        "optimizer.weight_decay": 0.0,
        "batch_size": 2,
    }
    recipe = put(Recipe(), {**given, "optimizer.learning_rate": 1.0, "schedule.epochs": 1, **values})
    rows = np.arange(2)
    return task.Task(
        model=model,
        inputs=Rows(torch.eye(2)),
        targets=torch.tensor([0, 1]),
        rows=task.Rows(rows, rows, rows),
        recipe=recipe,
        seed=0,
        loss=losses.build(recipe.loss),
        optimizer=optimizer.build(recipe.optimizer, list(model.parameters())),
        blocks=[("all", list(model.parameters()))],
        enter_training=lambda: None,
        num_classes=2,
    )


def test_signals_are_exact():
    outcome = loop.train(exact_task())
    # Softmax of zeros is 1/2: the gradient is (1/2 - one-hot) / 2 = ±1/4 in four places, its norm 1/2.
    (signal,) = outcome.signals
    assert signal["gradient_norm"] == 0.5
    assert signal["block"] == "all" and signal["epoch"] == 1
    assert outcome.history[0]["train_loss"] == pytest.approx(np.log(2), abs=1e-7)
    assert outcome.history[0]["val_loss"] == pytest.approx(np.log(1 + np.exp(-0.5)), abs=1e-6)
    assert np.array_equal(outcome.test_outputs, [[0.25, -0.25], [-0.25, 0.25]])


def test_the_update_ratio_is_the_change_over_the_weights():
    weight = nn.Parameter(torch.tensor([3.0, 4.0]))
    blocks = [("block", [weight])]
    before = signals.snapshot(blocks)
    with torch.no_grad():
        weight += torch.tensor([0.0, 0.5])
    (found,) = signals.compare(blocks, before)
    assert (found.gradient_norm, found.update_ratio) == (0.0, pytest.approx(0.1))


def test_keep_best_keeps_the_latest_of_equals_and_its_weights():
    made = exact_task(**{"schedule.epochs": 3, "schedule.keep": "best"})
    values = iter([0.25, 1.0, 0.5])
    made.optimizer = None
    outcome = loop.train(made, on_epoch=lambda row: made.model.weight.data.fill_(next(values)))
    assert outcome.kept_epoch == 3  # equal accuracies: the later one
    assert outcome.history[0]["learning_rate"] == 0.0
    # The weights of epoch 3, as they were kept
    assert np.array_equal(outcome.test_outputs, np.full((2, 2), 1.0))


def test_train_accuracy_is_measured_in_eval_mode_without_augmentation(make_lab):
    lab = make_lab()
    made = build.task(lab, make_arm({"augmentation": "strong", "head.dropout": 0.9, "schedule.epochs": 1}))
    outcome = loop.train(made)
    on_train = loop.predict(made.model, made.inputs, made.rows.train)
    accuracy = loop.accuracy(on_train, lab.targets[torch.from_numpy(made.rows.train)])
    assert outcome.history[-1]["train_accuracy"] == accuracy
    assert not any(module.training for module in made.model.modules())


def test_accuracy_counts_what_is_not_a_number_as_wrong():
    outputs = torch.tensor([[1.0, 0.0], [float("nan"), 0.0], [0.0, float("inf")]])
    assert loop.accuracy(outputs, torch.tensor([0, 0, 1])) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("n", "batch", "smallest", "steps"),
    [
        (64, 16, 1, 4),
        (65, 16, 1, 5),
        (65, 16, 2, 4),
        (66, 16, 2, 5),
        (5, 16, 1, 1),
        (1, 16, 2, 1),
        (3, 1, 1, 3),
    ],
)
def test_the_last_batch_is_smaller_and_left_out_where_it_cannot_train(n, batch, smallest, steps):
    made = exact_task(batch_size=batch)
    made.smallest_batch = smallest
    made.rows = task.Rows(np.zeros(n, np.int64), made.rows.val, made.rows.test)
    assert loop.steps_per_epoch(made) == steps
    sizes = [len(rows) for _, _, rows, _ in loop._batches(made, first=0)]
    assert len(sizes) == steps
    assert sum(sizes) == n - (n > 1 and n % batch == 1 < smallest)


class TestOrder:
    def order(self, **values):
        made = exact_task(**values)
        made.rows = task.Rows(np.arange(100), made.rows.val, made.rows.test)
        made.targets = (torch.arange(100) >= 90).long()
        return loop._order(made, torch.Generator().manual_seed(0))

    def test_not_shuffled(self):
        assert self.order(shuffle=False).tolist() == list(range(100))

    def test_shuffled_shows_every_image_once(self):
        order = self.order().tolist()
        assert order != sorted(order)
        assert sorted(order) == list(range(100))

    def test_balanced_draws_the_rare_class_as_often(self):
        rare = float((self.order(sampler="balanced") >= 90).double().mean())
        assert 0.35 < rare < 0.65


def test_learns_the_colours(make_lab):
    lab = make_lab()
    values = {"schedule.epochs": 12, "optimizer.learning_rate": 0.01, "schedule.name": "cosine"}
    outcome = loop.train(build.task(lab, make_arm(values)))
    assert outcome.history[-1]["val_accuracy"] > 0.8
    assert outcome.history[-1]["train_loss"] < outcome.history[0]["train_loss"]
