"""Random changes to a batch of training images, on the device, every image with random numbers of its own."""

from __future__ import annotations

import math

import torch
from torch.nn import functional

AREA_FRAC = (0.6, 1.0)  # of the image that a random crop keeps
LOG_ASPECT = math.log(4 / 3)  # largest log aspect ratio of a crop, either way
JITTER = 0.3  # largest relative change of brightness, contrast and saturation
ERASE_PROBABILITY = 0.25
ERASED_AREA_FRAC = (0.02, 0.2)
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def augment(batch: torch.Tensor, name: str, generator: torch.Generator) -> torch.Tensor:
    """Returns a uint8 batch (B, 3, S, S) changed at random, on its device; bitwise repeatable on the CPU.

    Args:
        batch: uint8 (B, 3, S, S).
        name: none | flip (left-right, half of the images) | crop_flip (a crop of 60 to 100 % of the area,
            resized, and flip) | strong (crop_flip, brightness, contrast and saturation changed by up to 30 %,
            and random erasing in a quarter of the images).
        generator: all random numbers come from it; on the CPU or on the batch's device.
    """
    if name == "none":
        return batch
    flips = _uniform(batch, generator) < 0.5
    if name == "flip":
        return torch.where(flips.view(-1, 1, 1, 1), batch.flip(3), batch)
    images = crop(batch.float(), flips, generator)
    if name == "strong":
        images = erase(jitter(images, generator), generator)
    return images.round_().clamp_(0, 255).to(torch.uint8)


def crop(images: torch.Tensor, flips: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Returns a random crop of each float image (B, C, S, S), resized to S; mirrored where `flips` (B,)."""
    area = _uniform(images, generator, *AREA_FRAC)
    aspect = torch.exp(_uniform(images, generator, -LOG_ASPECT, LOG_ASPECT))
    width, height = (area * aspect).sqrt().clamp(max=1.0), (area / aspect).sqrt().clamp(max=1.0)
    x = _uniform(images, generator, -1.0, 1.0) * (1 - width)
    y = _uniform(images, generator, -1.0, 1.0) * (1 - height)
    zero = torch.zeros_like(x)
    rows = [torch.where(flips, -width, width), zero, x, zero, height, y]
    affine = torch.stack(rows, dim=1).view(-1, 2, 3)
    grid = functional.affine_grid(affine, list(images.shape), align_corners=False)
    return functional.grid_sample(
        images, grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )


def jitter(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Returns float images 0..255 (B, 3, S, S), each with its saturation, contrast and brightness changed."""
    saturation, contrast, brightness = (
        _uniform(images, generator, 1 - JITTER, 1 + JITTER).view(-1, 1, 1, 1) for _ in range(3)
    )
    weights = torch.tensor(LUMA, device=images.device).view(1, 3, 1, 1)
    gray = (images * weights).sum(dim=1, keepdim=True)  # (B, 1, S, S)
    images = torch.lerp(gray, images, saturation)
    mean = gray.mean(dim=(2, 3), keepdim=True)  # saturation keeps the luma
    return (torch.lerp(mean, images, contrast) * brightness).clamp_(0, 255)


def erase(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Returns float images (B, C, S, S), some with a rectangle replaced by the image's mean colour.

    Random erasing: Zhong et al. 2020, https://arxiv.org/abs/1708.04896.
    """
    size = images.shape[-1]
    chosen = _uniform(images, generator) < ERASE_PROBABILITY
    area = _uniform(images, generator, *ERASED_AREA_FRAC)
    aspect = torch.exp(_uniform(images, generator, -LOG_ASPECT, LOG_ASPECT))
    inside = [
        _interval(side.clamp(max=1.0) * size, _uniform(images, generator), size)
        for side in ((area * aspect).sqrt(), (area / aspect).sqrt())
    ]
    box = inside[0][:, None, :] & inside[1][:, :, None] & chosen.view(-1, 1, 1)  # (B, S, S)
    return torch.where(box[:, None], images.mean(dim=(2, 3), keepdim=True), images)


def _interval(length: torch.Tensor, position: torch.Tensor, size: int) -> torch.Tensor:
    """Returns which of `size` pixels lie in an interval at this relative position: (B, size) bool."""
    pixel = torch.arange(size, device=length.device).view(1, -1) + 0.5
    start = (position * (size - length)).view(-1, 1)
    return (pixel >= start) & (pixel < start + length.view(-1, 1))


def _uniform(
    like: torch.Tensor, generator: torch.Generator, low: float = 0.0, high: float = 1.0
) -> torch.Tensor:
    """Returns one random number per image (B,), drawn on the generator's device, on the images' device."""
    drawn = torch.rand(len(like), generator=generator, device=generator.device)
    return (low + (high - low) * drawn).to(like.device)
