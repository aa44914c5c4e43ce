"""Depthwise convolutions on a CPU: a fast gradient of their weights where the map is smaller than the kernel.

oneDNN's gradient of depthwise weights is fast on large maps alone; at 64 px it took half of an EfficientNet's
training step. The same sum is a forward convolution with the images of the batch folded into the channels
(Chetlur et al. 2014 on gradients as convolutions), which is fast there. Elsewhere nothing is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

Pair = tuple[int, int]


def folded(device: torch.device) -> AbstractContextManager[Any]:
    """Returns a context in which forward passes on this device prepare the folded gradient; none on a GPU."""
    return FoldedDepthwise() if device.type == "cpu" else nullcontext()


class FoldedDepthwise(TorchFunctionMode):
    """While active, depthwise convolutions on small maps compute their weights' gradient folded."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Returns what `func` returns; only torch.conv2d is looked at."""
        if func is torch.conv2d and not kwargs and len(args) == 7 and _gains(*args):
            image, weight, bias, stride, padding, _, _ = args
            return _Depthwise.apply(image, weight, bias, _pair(stride), _pair(padding))
        return func(*args, **(kwargs or {}))


def weight_gradient(
    image: torch.Tensor, gradient: torch.Tensor, kernel: Pair, stride: Pair, padding: Pair
) -> torch.Tensor:
    """Returns the gradient (C, 1, kh, kw) of a depthwise convolution's weights.

    Args:
        image: what was convolved (B, C, H, W).
        gradient: of the output (B, C, Ho, Wo).
        kernel: its height and width.
        stride: of the convolution, per direction.
        padding: of the convolution, per direction.
    """
    first, last = zip(
        *map(_reached, image.shape[2:], gradient.shape[2:], kernel, stride, padding), strict=True
    )
    batch, channels = image.shape[:2]
    if gradient.shape[2:] == (1, 1):
        products = image * gradient
    else:
        products = functional.conv2d(
            image.reshape(1, batch * channels, *image.shape[2:]),
            gradient.reshape(batch * channels, 1, *gradient.shape[2:]),
            padding=tuple(p - f for p, f in zip(padding, first, strict=True)),
            dilation=stride,
            groups=batch * channels,
        ).unflatten(1, (batch, channels))[0]
    taps = products.sum(0)[:, : last[0] - first[0], : last[1] - first[1]]
    margins = (first[1], kernel[1] - last[1], first[0], kernel[0] - last[0])
    return functional.pad(taps, margins).unsqueeze(1)


def _reached(size: int, out: int, kernel: int, stride: int, padding: int) -> Pair:
    """Returns the first tap that ever lies on the image, and the one after the last."""
    return max(0, padding - stride * (out - 1)), min(kernel, size + padding)


def _gains(
    image: torch.Tensor, weight: torch.Tensor, _: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> bool:
    """Returns whether this is a depthwise convolution whose map is smaller than its kernel."""
    return (
        image.ndim == 4
        and groups == image.shape[1] == weight.shape[0] > 1
        and weight.requires_grad
        and min(image.shape[2:]) < max(weight.shape[2:])
        and _pair(dilation) == (1, 1)
        and not isinstance(padding, str)
    )


def _pair(value: int | Pair) -> Pair:
    return (value, value) if isinstance(value, int) else (int(value[0]), int(value[-1]))


class _Depthwise(torch.autograd.Function):
    """A depthwise convolution; its backward pass can be differentiated again."""

    @staticmethod
    def forward(
        ctx: Any,
        image: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        stride: Pair,
        padding: Pair,
    ) -> torch.Tensor:
        ctx.save_for_backward(image, weight)
        ctx.stride, ctx.padding = stride, padding
        return functional.conv2d(image, weight, bias, stride, padding, groups=image.shape[1])

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        image, weight = ctx.saved_tensors
        of_image, of_weight, of_bias = ctx.needs_input_grad[:3]
        kernel = (weight.shape[2], weight.shape[3])
        into_image = torch.ops.aten.convolution_backward(
            gradient,
            image,
            weight,
            None,
            ctx.stride,
            ctx.padding,
            (1, 1),
            False,
            (0, 0),
            image.shape[1],
            (of_image, False, False),
        )[0]
        into_weight = weight_gradient(image, gradient, kernel, ctx.stride, ctx.padding) if of_weight else None
        into_bias = gradient.sum((0, 2, 3)) if of_bias else None
        return into_image, into_weight, into_bias, None, None
