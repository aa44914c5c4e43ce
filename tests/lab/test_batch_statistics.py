"""Running statistics that follow a batch."""

import torch
from torch import nn

from plateau_cause.lab.batch_statistics import follow


def network():
    torch.manual_seed(0)
    made = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).eval()
    made[1].running_mean.normal_()
    made[1].running_var.uniform_(0.5, 2.0)
    return made


def test_under_the_same_weights_nothing_changes():
    plain, followed, batch = network(), network(), torch.randn(8, 3, 6, 6)
    follow(followed, list(followed.parameters()))
    for _ in range(2):
        assert torch.allclose(followed(batch), plain(batch), atol=1e-5)


def test_a_channel_that_grows_is_normalised_as_before():
    followed, batch = network(), torch.randn(8, 3, 6, 6)
    follow(followed, list(followed.parameters()))
    before = followed(batch)
    with torch.no_grad():
        followed[0].weight.mul_(10.0)
        followed[0].bias.mul_(10.0)
        plain = network()
        plain[0].load_state_dict(followed[0].state_dict())
        assert followed(batch).std() < 2 * before.std() < plain(batch).std()


def test_what_was_not_moved_keeps_its_statistics():
    followed = network()
    kept = followed[1].running_mean.clone()
    follow(followed, list(followed[0].parameters()))
    followed(torch.randn(8, 3, 6, 6))
    assert torch.equal(followed[1].running_mean, kept)
