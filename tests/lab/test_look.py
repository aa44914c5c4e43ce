"""A look at a network sees what it does and leaves it as it was."""

import pytest
import torch
from torch import nn

from plateau_cause.errors import PlateauError
from plateau_cause.lab.look import look, trains_on_one, unreached

IMAGES = torch.rand(2, 3, 8, 8)


class Net(nn.Module):
    def __init__(self, channels=3):
        super().__init__()
        pooled = (nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.body = nn.Sequential(nn.Conv2d(channels, 4, 3), nn.BatchNorm2d(4), *pooled)
        self.old, self.fc, self.spare = nn.Linear(4, 5), nn.Linear(4, 5), nn.Linear(4, 5)

    def forward(self, x):
        z = self.body(x)
        return self.fc(z) + 0 * self.old(z).detach()


def seen(network, images=IMAGES):
    return look(network, images, 5, None)


def test_the_last_linear_layer_that_is_called_counts():
    network = Net()
    network.forward = lambda x: network.fc(network.body(x))
    assert seen(network).linear is network.fc
    network.forward = lambda x: network.old(network.body(x))
    assert seen(network).linear is network.old


def test_no_such_layer():
    assert seen(nn.Sequential(nn.Conv2d(3, 5, 8), nn.Flatten())).linear is None


@pytest.mark.parametrize(("takes", "given", "channels"), [(3, 3, None), (1, 1, None), (1, 3, 1), (3, 1, 3)])
def test_gray_and_colour_are_fitted(takes, given, channels):
    found = seen(Net(takes), torch.rand(2, given, 8, 8))
    assert found.channels == channels
    assert found.fit(torch.rand(2, given, 8, 8)).shape[1] == takes


def test_four_channels_are_an_error_with_the_networks_own_words():
    with pytest.raises(PlateauError, match=r"^recipe\.code: the network of build_model\(\) raised Runtime"):
        seen(Net(4))


def test_everything_is_put_back():
    network = Net().train()
    network.body[1].eval()
    network.body[0].requires_grad_(False)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    modes = [module.training for module in network.modules()]
    flags = [parameter.requires_grad for parameter in network.parameters()]
    seen(network)
    unreached(network, IMAGES)
    trains_on_one(network, lambda: None, IMAGES[:1])
    assert modes == [module.training for module in network.modules()]
    assert flags == [parameter.requires_grad for parameter in network.parameters()]
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert not any(module._forward_hooks for module in network.modules())


def test_what_no_gradient_reaches():
    network = Net()
    assert unreached(network, IMAGES) == ("old.weight", "old.bias", "spare.weight", "spare.bias")
    network.forward = lambda x: network.fc(network.body(x)).detach()
    assert len(unreached(network, IMAGES)) == len(list(network.parameters()))


def test_training_on_one_image():
    flat = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.BatchNorm1d(3))
    assert not trains_on_one(flat, lambda: None, IMAGES[:1])
    assert trains_on_one(flat, flat[2].eval, IMAGES[:1])
    assert trains_on_one(nn.BatchNorm2d(3), lambda: None, IMAGES[:1])
