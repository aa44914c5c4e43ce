"""What moves, what rests in eval mode, and what is cut off a user's model."""

import pytest
import torch
from tiny import tiny_backbone
from torch import nn

from plateau_cause.config.recipe import Head, Recipe, put
from plateau_cause.training import model


def classifier(**head):
    return model.Classifier(tiny_backbone(), 3, Head(**head))


def moving(network):
    return {
        name.split(".")[1] if name.startswith("stages") else "head"
        for name, p in network.named_parameters()
        if p.requires_grad
    }


@pytest.mark.parametrize(
    ("which", "moved"),
    [
        ("none", set()),
        ("head", {"head"}),
        ("last_block", {"block2", "head"}),
        ("backbone", {"stem", "block1", "block2"}),
        ("part", {"head"}),
        ("all", {"stem", "block1", "block2", "head"}),
    ],
)
def test_set_trainable(which, moved):
    network = classifier()
    model.set_trainable(network, "all", [])
    model.set_trainable(network, which, model.head_parameters(network, 3))
    assert moving(network) == moved


class TestModes:
    def trained_norms(self, trainable, batch_norm):
        network = classifier(dropout=0.5)
        model.set_trainable(network, trainable, model.head_parameters(network, 3))
        network.train()
        model.set_modes(network, put(Recipe(), {"batch_norm": batch_norm}), own_batch_norm=False)
        assert network.head[0].training  # dropout drops
        return [name for name, m in network.named_modules() if isinstance(m, nn.BatchNorm2d) and m.training]

    def test_frozen_stages_stay_in_eval(self):
        assert self.trained_norms("head", "train") == []
        assert self.trained_norms("last_block", "train") == ["stages.block2.1"]

    def test_every_stage_trains(self):
        assert len(self.trained_norms("all", "train")) == 3

    def test_frozen_batch_norm_stays_in_eval(self):
        assert self.trained_norms("all", "frozen") == []

    def test_frozen_stages_train_where_the_recipe_says_so(self):
        assert len(self.trained_norms("head", model.TRAIN_FROZEN_TOO)) == 3

    def test_a_users_own_modes_are_left_alone(self):
        network = classifier()
        model.set_trainable(network, "head", model.head_parameters(network, 3))
        network.train()
        model.set_modes(network, Recipe(), own_batch_norm=True)
        assert all(module.training for module in network.modules())

    def test_batch_norm_in_frozen_layers_of_a_users_model(self):
        network = nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.BatchNorm2d(4, affine=False), nn.Linear(2, 2)
        )
        model.set_trainable(network, "head", network[3].parameters())
        network.train()
        model.set_modes(network, Recipe(), own_batch_norm=False)
        assert not network[1].training
        assert network[3].training

    def test_uses_batch_norm(self):
        network = classifier()
        assert model.uses_batch_norm(network)
        model.set_trainable(network, "head", model.head_parameters(network, 3))
        assert not model.uses_batch_norm(network)


class TestFinalLinear:
    @pytest.mark.parametrize("last", [nn.Softmax(1), nn.ReLU(), nn.LogSoftmax(1)])
    def test_strips_what_follows(self, last):
        linear = nn.Linear(4, 3)
        images = torch.randn(5, 4)
        stripped = model.FinalLinear(nn.Sequential(linear, last), linear)
        assert torch.equal(stripped(images), linear(images))
        stripped(images).sum().backward()
        assert linear.weight.grad is not None
        assert model.unwrapped(stripped)[0] is linear

    def test_takes_the_last_of_several(self):
        network = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 3), nn.Linear(3, 7))
        assert model.final_linear(network, 3) is network[1]

    def test_without_a_linear_layer(self):
        assert model.final_linear(nn.Conv2d(3, 4, 3), 4) is None
        network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 5, 1))
        assert model.head_parameters(network, 5) == list(network[1].parameters())


@pytest.mark.parametrize("activation", [None, "softmax", "relu"])
def test_the_heads_activation(activation):
    network = classifier(activation=activation).eval()
    images = torch.randn(4, 3, 16, 16)
    logits = network.head[1](network.stages(images))
    expected = {None: logits, "softmax": logits.softmax(1), "relu": logits.relu()}[activation]
    assert torch.equal(network(images), expected)


def test_entry_reads_the_output_of_the_stage_before():
    network = classifier().eval()
    images = torch.randn(2, 3, 16, 16)
    between = network.stages[0](images)
    whole = network(images)
    network.entry = 1
    assert torch.equal(network(between), whole)


def test_the_backbone_itself_is_not_trained():
    backbone = tiny_backbone()
    network = model.Classifier(backbone, 3, Head())
    network.stages[0][0].weight.data.zero_()
    assert backbone.stages[0][0].weight.abs().sum() > 0


class TestBlocks:
    def test_of_a_classifier(self):
        found = model.blocks(classifier())
        assert [name for name, _ in found] == ["stem", "block1", "block2", "head"]

    def test_of_a_users_model_hold_every_parameter_once(self):
        shared = nn.Linear(4, 4)
        network = nn.Sequential(nn.Sequential(shared, nn.Linear(4, 4)), shared, nn.Linear(4, 2))
        network.scale = nn.Parameter(torch.ones(1))
        found = [p for _, group in model.blocks(network) for p in group]
        assert sorted(map(id, found)) == sorted(map(id, network.parameters()))
        assert all(group for _, group in model.blocks(network))

    def test_open_the_largest_child(self):
        network = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Linear(9, 9), nn.Linear(9, 9)))
        assert [name for name, _ in model.blocks(network)] == ["0", "1.0", "1.1"]


def test_dropout_everywhere():
    network = nn.Sequential(nn.Dropout(0.1), nn.Sequential(nn.Dropout2d(0.2)))
    model.set_dropout(network, 0.7)
    assert network[0].p == network[1][0].p == 0.7


class DropPath(nn.Module):
    def __init__(self):
        super().__init__()
        self.drop_prob = 0.4


def test_whole_layers_are_dropped_no_more_often_than_asked():
    network = nn.Sequential(nn.Dropout(0.1), DropPath())
    assert model.dropout(network) == 0.4
    model.set_dropout(network, 0.7)
    assert (network[0].p, network[1].drop_prob) == (0.7, 0.4)
    model.set_dropout(network, 0.0)
    assert model.dropout(network) == 0.0


def test_nothing_is_dropped():
    assert model.dropout(nn.Linear(2, 2)) == 0.0


@pytest.mark.parametrize(("channels", "is_gray"), [(1, True), (3, False)])
def test_reads_gray(channels, is_gray):
    assert model.reads_gray(nn.Sequential(nn.Flatten(), nn.Conv2d(channels, 2, 1))) is is_gray
    assert not model.reads_gray(nn.Linear(1, 1))
