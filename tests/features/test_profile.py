"""Networks with hand-set weights: every recorded number is known exactly."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from plateau_cause.features.profile import Recorder


def pooled(*layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()


def norm(mean: list[float], variance: list[float]) -> nn.BatchNorm2d:
    layer = nn.BatchNorm2d(len(mean))
    layer.running_mean, layer.running_var = torch.tensor(mean), torch.tensor(variance)
    return layer


def images(means, stds, count=64, seed=0):
    """Returns images (N, C, 4, 4) with exactly these moments per channel."""
    x = torch.randn(count, len(means), 4, 4, generator=torch.Generator().manual_seed(seed)).double()
    x = (x - x.mean((0, 2, 3), keepdim=True)) / x.var((0, 2, 3), correction=0, keepdim=True).sqrt()
    shape = (1, -1, 1, 1)
    return (x * torch.tensor(stds).view(shape) + torch.tensor(means).view(shape)).float()


def record(model, x, batch=16, **arguments):
    recorder = Recorder(model, **arguments)
    for part in x.split(batch):
        recorder.record(part)
    return recorder.profile()


def test_kl_z_and_rho_are_exact():
    profile = record(pooled(norm([1.0], [4.0])), images([3.0], [1.0]))
    (layer,) = profile.layers
    assert layer.z == pytest.approx(1.0, abs=1e-4)  # |3 - 1| / sqrt(4)
    assert layer.rho == pytest.approx(math.log(1 / 4), abs=1e-4)
    assert layer.kl == pytest.approx(0.5 * (math.log(4) + (1 + 4) / 4 - 1), abs=1e-4)
    assert layer.rho_iqr == 0
    assert profile.images == 64


def test_statistics_that_agree_diverge_by_nothing():
    (layer,) = record(pooled(norm([0.5, -1.0], [4.0, 0.25])), images([0.5, -1.0], [2.0, 0.5])).layers
    assert layer.kl == pytest.approx(0.0, abs=1e-5)
    assert layer.rho == pytest.approx(0.0, abs=1e-4)


def test_batches_do_not_matter():
    model, x = pooled(norm([0.0, 0.0, 0.0], [1.0, 1.0, 1.0])), images([1.0, 2.0, 3.0], [1.0, 2.0, 0.5])
    one, many = (record(model, x, batch) for batch in (64, 7))
    assert one.layers[0].kl == pytest.approx(many.layers[0].kl, rel=1e-5)
    assert one.input.std == pytest.approx(many.input.std, rel=1e-5)


def test_dead_channels_are_left_out():
    (layer,) = record(pooled(norm([0.0, 0.0, 0.0], [1.0, 1.0, 1e-9])), images([0.0] * 3, [1.0] * 3)).layers
    assert (layer.live, layer.channels) == (2, 3)
    assert layer.kl == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize("scale", [0.5, 1.0, 255.0])
def test_the_scale_error_is_read_from_the_stem(scale):
    model = pooled(norm([0.0] * 4, [1.0] * 4), nn.ReLU(), norm([0.0] * 4, [1.0] * 4))
    profile = record(model, scale * images([0.0] * 4, [1.0] * 4))
    assert profile.scale_error == pytest.approx(scale, rel=1e-3)


def test_channels_that_disagree_say_nothing_about_the_scale():
    profile = record(pooled(norm([0.0] * 4, [1.0] * 4)), images([0.0] * 4, [0.1, 1.0, 10.0, 100.0]))
    assert profile.scale_error is None


def test_depths_are_in_the_order_of_the_forward_pass():
    class Backwards(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = norm([0.0], [1.0]), norm([0.0], [1.0])

        def forward(self, x):
            return self.a(self.b(x)).mean((2, 3))

    layers = record(Backwards().eval(), images([0.0], [1.0])).layers
    assert [layer.name for layer in layers] == ["b", "a"]
    many = record(pooled(*(norm([0.0], [1.0]) for _ in range(7))), images([0.0], [1.0]))
    assert [layer.depth for layer in many.layers] == ["stem", "early", "early", "mid", "mid", "late", "late"]
    assert set(many.by_depth) == {"stem", "early", "mid", "late"}


def test_a_model_without_batch_norm_has_moments_per_stage():
    double = nn.Conv2d(1, 1, 1, bias=False)
    nn.init.constant_(double.weight, 2.0)
    model = pooled(double)
    profile = record(model, images([1.0], [3.0]), parts={"stem": double})
    assert profile.layers == ()
    assert (profile.scale_error, profile.entropy) == (None, None)
    assert profile.stages["stem"].mean == pytest.approx(2.0, abs=1e-3)
    assert profile.stages["stem"].std == pytest.approx(6.0, abs=1e-3)
    assert profile.channel_means == pytest.approx((1.0,), abs=1e-4)


def test_entropy_of_a_head_that_knows_nothing_is_one():
    head = nn.Linear(3, 50)
    nn.init.zeros_(head.weight), nn.init.zeros_(head.bias)
    profile = record(pooled(nn.Identity()), images([0.0] * 3, [1.0] * 3), head=head)
    assert profile.entropy == pytest.approx(1.0, abs=1e-6)
    nn.init.constant_(head.bias[:1], 100.0)
    assert record(pooled(nn.Identity()), images([0.0] * 3, [1.0] * 3), head=head).entropy < 1e-6


def test_hooks_are_gone_afterwards_even_after_an_error():
    model = pooled(norm([0.0], [1.0]))
    recorder = Recorder(model, {"stem": model[0]})
    recorder.record(images([0.0], [1.0]))
    with pytest.raises(RuntimeError):
        recorder.record(torch.zeros(2, 5, 4, 4))
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_a_constant_channel_gives_a_large_but_finite_divergence():
    (layer,) = record(pooled(norm([0.0], [1.0])), torch.full((8, 1, 4, 4), 0.5)).layers
    assert np.isfinite(layer.kl) and layer.kl > 5


def test_the_profile_is_plain_json():
    import json

    profile = record(pooled(norm([0.0], [1.0])), images([0.0], [1.0]))
    assert json.loads(json.dumps(profile.to_dict()))["by_depth"]["stem"]["kl"] == pytest.approx(0.0, abs=1e-5)
