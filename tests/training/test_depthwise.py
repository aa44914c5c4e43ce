"""Folded gradients of depthwise weights: the same sums as torch's, on the maps where torch is slow."""

from __future__ import annotations

import time

import pytest
import torch
from torch import nn

from plateau_cause.training import depthwise


def _gradients(layer: nn.Module, image: torch.Tensor, folded: bool) -> list[torch.Tensor]:
    image = image.clone().requires_grad_()
    weights = torch.linspace(-1, 2, 7)  # no loss whose gradient is the same at every position
    with depthwise.FoldedDepthwise() if folded else torch.enable_grad():
        output = layer(image)
    flat = output.flatten()
    (flat * weights.repeat(len(flat) // 7 + 1)[: len(flat)]).sum().backward()
    found = [image.grad, *(parameter.grad for parameter in layer.parameters())]
    layer.zero_grad()
    return [gradient.clone() for gradient in found if gradient is not None]


@pytest.mark.parametrize(
    "kernel, pad, height, width",
    [
        (kernel, pad, height, width)
        for kernel in (1, 3, 5, 7)
        for pad in sorted({0, kernel // 2, kernel - 1})
        for height, width in [(1, 1), (1, 4), (2, 2), (3, 2), (4, 4), (6, 5), (9, 9)]
        if min(height, width) + 2 * pad >= kernel
    ],
)
@pytest.mark.parametrize("stride", [1, 2])
def test_gradients_are_those_of_torch(kernel: int, pad: int, height: int, width: int, stride: int) -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(6, 6, kernel, stride, pad, groups=6).double()
    image = torch.randn(5, 6, height, width, dtype=torch.double)
    expected, found = (_gradients(layer, image, folded) for folded in (False, True))
    for one, other in zip(expected, found, strict=True):
        torch.testing.assert_close(one, other)


def test_uneven_kernel_and_padding() -> None:
    layer = nn.Conv2d(4, 4, (7, 3), (2, 1), (3, 1), groups=4, bias=False).double()
    image = torch.randn(3, 4, 5, 2, dtype=torch.double)
    for one, other in zip(_gradients(layer, image, False), _gradients(layer, image, True), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(4, 4, 5, padding=2),  # not depthwise
        nn.Conv2d(4, 8, 5, padding=2, groups=4),  # two outputs per channel
        nn.Conv2d(4, 4, 5, padding="same", groups=4),  # padding in words
        nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=4),
        nn.Conv2d(4, 4, 3, padding=1, groups=4),  # a map as large as the kernel
    ],
)
def test_everything_else_stays_with_torch(layer: nn.Conv2d) -> None:
    with depthwise.FoldedDepthwise():
        output = layer(torch.randn(2, 4, 3, 3))
    assert "Depthwise" not in type(output.grad_fn).__name__


def test_small_depthwise_is_folded() -> None:
    with depthwise.FoldedDepthwise():
        output = nn.Conv2d(4, 4, 5, padding=2, groups=4)(torch.randn(2, 4, 3, 3))
    assert "Depthwise" in type(output.grad_fn).__name__


def test_frozen_weights_and_a_gpu_need_nothing() -> None:
    layer = nn.Conv2d(4, 4, 5, padding=2, groups=4).requires_grad_(False)
    with depthwise.FoldedDepthwise():
        output = layer(torch.randn(2, 4, 3, 3, requires_grad=True))
    assert "Depthwise" not in type(output.grad_fn).__name__
    assert not isinstance(depthwise.folded(torch.device("cuda")), depthwise.FoldedDepthwise)


def test_gradients_of_gradients() -> None:
    layer = nn.Conv2d(3, 3, 5, padding=2, groups=3).double()

    def run(image: torch.Tensor) -> torch.Tensor:
        with depthwise.FoldedDepthwise():
            output: torch.Tensor = layer(image)
        return output.square().sum()

    assert torch.autograd.gradgradcheck(run, torch.randn(2, 3, 2, 2, dtype=torch.double, requires_grad=True))


def test_small_maps_learn_faster() -> None:
    # Measured here 20 to 100 times; half of that would still be worth the file.
    image = torch.randn(32, 384, 2, 2).contiguous(memory_format=torch.channels_last)
    gradient = torch.randn_like(image)
    weight = torch.randn(384, 1, 5, 5)

    def plain() -> torch.Tensor:
        given = (
            gradient,
            image,
            weight,
            None,
            (1, 1),
            (2, 2),
            (1, 1),
            False,
            (0, 0),
            384,
            (False, True, False),
        )
        return torch.ops.aten.convolution_backward(*given)[1]  # type: ignore[no-any-return]

    def own() -> torch.Tensor:
        return depthwise.weight_gradient(image, gradient, (5, 5), (1, 1), (2, 2))

    torch.testing.assert_close(plain(), own(), atol=1e-3, rtol=1e-3)
    assert min(_seconds(own) for _ in range(5)) < min(_seconds(plain) for _ in range(5))


def _seconds(run: object) -> float:
    started = time.perf_counter()
    run()  # type: ignore[operator]
    return time.perf_counter() - started
