"""From an arm to a task: the user's pieces run as they are, every other piece follows the arm."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import make_arm, tiny_backbone
from torch import nn

from plateau_cause.errors import PlateauError
from plateau_cause.lab import build, prefix
from plateau_cause.lab.arm import pieces_of
from plateau_cause.training import loop
from plateau_cause.training.inputs import CachedInputs, PixelInputs
from plateau_cause.training.model import FinalLinear


class TestCache:
    """Training on the frozen prefix's outputs gives what training on images gives."""

    @pytest.mark.parametrize(
        ("values", "cached"),
        [
            ({"trainable": "head"}, True),
            ({"trainable": "last_block"}, True),
            ({"trainable": "all"}, False),
            ({"trainable": "head", "augmentation": "flip"}, False),
        ],
    )
    def test_where_it_changes_nothing(self, make_lab, values, cached):
        assert isinstance(build.task(make_lab(), make_arm(values)).inputs, CachedInputs) is cached

    @pytest.mark.parametrize("trainable", ["none", "head", "last_block"])
    def test_equals_the_uncached_run(self, make_lab, monkeypatch, trainable):
        arm = make_arm({"trainable": trainable, "head.dropout": 0.2})
        cached = loop.train(build.task(make_lab(), arm))
        monkeypatch.setattr(prefix, "cached", lambda lab, arm, network, read, optimizer: read)
        uncached = loop.train(build.task(make_lab(), arm))
        np.testing.assert_allclose(cached.test_outputs, uncached.test_outputs, rtol=1e-3, atol=1e-4)
        assert [row["val_accuracy"] for row in cached.history] == [
            row["val_accuracy"] for row in uncached.history
        ]


class TestLastBatch:
    """54 images in batches of 53 leave one over."""

    def last(self, make_lab, **values):
        task = build.task(make_lab(), make_arm({"batch_size": 53, **values}))
        loop.train(task)
        return loop.steps_per_epoch(task)

    def test_of_one_image_is_kept_as_pytorch_keeps_it(self, make_lab):
        assert self.last(make_lab, batch_norm="frozen") == 2
        assert self.last(make_lab, trainable="head") == 2
        assert self.last(make_lab) == 2  # maps of 2 x 2 are enough for batch norm

    def test_that_batch_norm_cannot_train_on_is_left_out(self, make_lab):
        assert self.last(make_lab, **{"preprocessing.size": 8}) == 1

    def test_looking_at_it_changes_nothing(self, make_lab):
        lab, arm = make_lab(), make_arm({"batch_size": 53})
        task = build.task(lab, arm)
        assert torch.equal(task.model.stages[0][1].running_mean, tiny_backbone().stages[0][1].running_mean)

    def test_of_which_batch_norm_can_train_on_none_is_one_clear_line(self, make_lab):
        with pytest.raises(PlateauError, match=r"^recipe\.batch_size: got 1: batch norms that train need"):
            loop.train(build.task(make_lab(), make_arm({"batch_size": 1, "preprocessing.size": 8})))


AREA = (16 / 64) ** 2  # the tiny images' in units of 64 px


class TestCost:
    def cost(self, make_lab, **values):
        return build.cost(make_lab(), make_arm(values))

    def test_counts_forward_passes(self, make_lab):
        assert self.cost(make_lab) == 2 * 54 * 3 * AREA
        assert self.cost(make_lab, trainable="head") == 0
        assert self.cost(make_lab, trainable="last_block") == 2 * 54 * 3 / 3 * AREA
        assert self.cost(make_lab, trainable="head", augmentation="flip") == 2 * 54 * AREA

    def test_larger_images_cost_more(self, make_lab):
        assert self.cost(make_lab, **{"preprocessing.size": 32}) == 4 * self.cost(make_lab)

    def test_of_a_subset(self, make_lab):
        lab = make_lab()
        lab.add_subset("half", lab.subsets["all"][::2])
        assert build.cost(lab, make_arm(images="half")) == 27 * 2 * 3 * AREA


def test_training_nothing_changes_nothing(make_lab):
    lab = make_lab()
    task = build.task(lab, make_arm({"trainable": "none"}))
    assert task.optimizer is None
    before = {key: value.clone() for key, value in task.model.state_dict().items()}
    outcome = loop.train(task)
    assert all(torch.equal(value, before[key]) for key, value in task.model.state_dict().items())
    assert outcome.history[-1]["val_accuracy"] == outcome.history[0]["val_accuracy"]


@pytest.mark.parametrize(("parameters", "moves"), [("head", False), ("backbone", True), ("trainable", True)])
def test_only_what_the_optimizer_holds_moves(make_lab, parameters, moves):
    task = build.task(make_lab(), make_arm({"optimizer.parameters": parameters, "batch_norm": "frozen"}))
    stem, head = task.model.stages[0][0].weight.clone(), task.model.head[1].weight.clone()
    loop.train(task)
    assert torch.equal(task.model.stages[0][0].weight, stem) is not moves
    assert torch.equal(task.model.head[1].weight, head) is (parameters == "backbone")


def test_a_head_solved_before_training_stands_above_a_random_one(make_lab):
    lab = make_lab()
    accuracy = {}
    for start in ("random", "linear_probe"):
        task = build.task(lab, make_arm({"trainable": "head", "head.initialization": start}))
        outputs = loop.predict(task.model, task.inputs, task.rows.train)
        accuracy[start] = loop.accuracy(outputs, lab.targets[torch.from_numpy(task.rows.train)])
    assert accuracy["linear_probe"] > accuracy["random"]
    assert accuracy["linear_probe"] > 0.7


class TestOwn:
    """The user's file, piece by piece."""

    def lab_and_arm(self, make_lab, user_file, *functions, without=(), values=None, **lines):
        lab = make_lab(user_file(*functions, **lines))
        own = pieces_of(lab.code.defined) - set(without)
        return lab, make_arm(values, own=own)

    def test_the_model_as_it_is(self, make_lab, user_file):
        lab, arm = self.lab_and_arm(make_lab, user_file, "build_model", end="x = x.softmax(1)")
        task = build.task(lab, arm)
        assert type(task.model).__name__ == "Net"
        assert isinstance(task.inputs, PixelInputs)
        outputs = loop.predict(task.model, task.inputs, task.rows.val)
        assert outputs.sum(1).allclose(torch.ones(len(outputs)))

    def test_without_its_softmax(self, make_lab, user_file):
        lab, arm = self.lab_and_arm(
            make_lab, user_file, "build_model", end="x = x.softmax(1)", without=["activation"]
        )
        network = build.network(lab, arm)
        assert isinstance(network, FinalLinear)
        assert not network(torch.randn(4, 3, 16, 16)).sum(1).allclose(torch.ones(4))

    def test_without_its_weights(self, make_lab, user_file):
        lab, arm = self.lab_and_arm(make_lab, user_file, "build_model", load="pass", without=["weights"])
        network = build.network(lab, arm)
        assert torch.equal(network.stem[0].weight, tiny_backbone().stages[0][0].weight)

    def test_without_its_dropout(self, make_lab, user_file):
        lab, arm = self.lab_and_arm(
            make_lab, user_file, "build_model", without=["dropout"], values={"head.dropout": 0.6}
        )
        assert build.network(lab, arm).dropout.p == 0.6

    def test_without_its_frozen_layers(self, make_lab, user_file):
        freeze = "model.requires_grad_(False); model.fc.requires_grad_(True)"
        lab, arm = self.lab_and_arm(make_lab, user_file, "build_model", freeze=freeze)
        assert not build.task(lab, arm).model.stem[0].weight.requires_grad
        thawed = replace(arm, own=arm.own - {"trainable"})
        assert build.task(lab, thawed).model.stem[0].weight.requires_grad

    def test_without_its_half_held_optimizer(self, make_lab, user_file):
        lines = {"optimizer": "return torch.optim.SGD(model.fc.parameters(), lr=0.5)"}
        lab, arm = self.lab_and_arm(make_lab, user_file, "build_model", "optimizer", **lines)
        held = sum(len(group["params"]) for group in build.task(lab, arm).optimizer.param_groups)
        assert held == 2
        completed = build.task(lab, replace(arm, own=arm.own - {"parameters"})).optimizer
        assert sum(len(group["params"]) for group in completed.param_groups) == 11
        assert all(group["lr"] == 0.5 for group in completed.param_groups)

    def test_without_its_rate_and_decay(self, make_lab, user_file):
        values = {"optimizer.learning_rate": 0.25, "optimizer.weight_decay": 0.125}
        lab, arm = self.lab_and_arm(
            make_lab, user_file, "optimizer", without=["learning_rate", "weight_decay"], values=values
        )
        (group,) = build.task(lab, arm).optimizer.param_groups
        assert (group["lr"], group["weight_decay"]) == (0.25, 0.125)

    def test_the_loss(self, make_lab, user_file):
        lab, arm = self.lab_and_arm(make_lab, user_file, "loss", loss="return 7 * output.sum()")
        assert build.task(lab, arm).loss(torch.ones(2, 3), torch.zeros(2)) == 42
        assert (
            build.task(lab, replace(arm, own=frozenset())).loss(torch.zeros(2, 3), torch.tensor([0, 1])) < 2
        )

    def test_the_callback_decides_about_batch_norm(self, make_lab, user_file):
        start = "model.eval()"
        lab, arm = self.lab_and_arm(make_lab, user_file, "build_model", "on_train_start", start=start)
        task = build.task(lab, arm)
        task.model.train()
        task.enter_training()
        assert not task.model.stem[1].training
        task = build.task(lab, replace(arm, own=arm.own - {"batch_norm"}))
        task.model.train()
        task.enter_training()
        assert task.model.stem[1].training

    def test_the_head_is_what_the_backbone_does_not_have(self, make_lab, user_file):
        lab, arm = self.lab_and_arm(make_lab, user_file, "build_model")
        network, seen = build.seen_network(lab, arm)
        assert build.head_of(lab, arm, network, seen) == list(network.fc.parameters())

    def test_a_whole_file_trains_and_repeats(self, make_lab, user_file):
        functions = ("build_model", "optimizer", "on_train_start", "loss", "transform")
        lines = {"random": "x = x + 0.1 * torch.randn(()) if train else x"}
        lab, arm = self.lab_and_arm(make_lab, user_file, *functions, **lines)
        first, second = (loop.train(build.task(lab, arm)) for _ in range(2))
        assert first.history == second.history

    def test_a_model_without_a_last_linear_layer(self, make_lab, user_file):
        path = user_file("build_model")
        path.write_text(
            "from torch import nn\n"
            "def build_model(num_classes):\n"
            "    return nn.Sequential(nn.Conv2d(3, num_classes, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())\n"
        )
        lab = make_lab(path)
        arm = make_arm(own=frozenset({"model", "weights", "trainable", "dropout"}))
        assert loop.train(build.task(lab, arm)).kept_epoch == 2
        solved = replace(arm, recipe=make_arm({"head.initialization": "linear_probe"}).recipe)
        with pytest.raises(PlateauError, match=r"^recipe\.head\.initialization"):
            build.task(lab, solved)


def test_penultimate_features_of_a_users_model(make_lab, user_file):
    lab = make_lab(user_file("build_model"))
    arm = make_arm(
        {"head.initialization": "linear_probe", "trainable": "head"},
        own=frozenset({"model", "weights", "activation"}),
    )
    task = build.task(lab, arm)
    outputs = loop.predict(task.model, task.inputs, task.rows.train)
    assert loop.accuracy(outputs, lab.targets[torch.from_numpy(task.rows.train)]) > 0.7
    assert isinstance(task.model.fc, nn.Linear)
