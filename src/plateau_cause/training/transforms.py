"""What the user's transform makes of an image: one tensor of one or three channels, or one clear line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from PIL import Image

from plateau_cause.errors import PlateauError
from plateau_cause.training.user_code import call, place

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as PIL's "L"


def fit_channels(images: torch.Tensor, channels: int) -> torch.Tensor:
    """Returns images (B, C, H, W) with this many channels: colours weighed by LUMA, gray repeated."""
    if images.shape[1] == channels:
        return images
    if channels == 1:
        return (images * torch.tensor(LUMA, device=images.device).view(1, 3, 1, 1)).sum(1, keepdim=True)
    return images.expand(-1, channels, -1, -1)


def transformed(transform: Callable[..., Any], image: Image.Image, train: bool) -> torch.Tensor:
    """Returns what the user's transform makes of an image, float32 (C, H, W), of one or three channels.

    Raises:
        PlateauError: it raised, or gives something else or what is no number; the line names function and
            line.
    """
    return as_tensor(call(transform, image, train), transform)


def coloured(transform: Callable[..., Any]) -> Callable[[Image.Image, bool], torch.Tensor]:
    """Returns the user's transform giving (3, H, W), gray repeated: what the declared backbone reads."""
    return lambda image, train: fit_channels(transformed(transform, image, train)[None], 3)[0]


def as_tensor(value: Any, transform: Callable[..., Any] | None = None) -> torch.Tensor:
    """Returns what the user's transform gave as float32 (C, H, W), of one or three channels.

    Raises:
        PlateauError: it is no such tensor, or holds what is no number.
    """
    if isinstance(value, np.ndarray):
        value = torch.from_numpy(value)
    named = place("transform", transform)
    if not isinstance(value, torch.Tensor) or value.ndim != 3 or value.shape[0] not in (1, 3):
        raise PlateauError(f"recipe.code: {named} must give a tensor (3, H, W), not {_described(value)}")
    tensor: torch.Tensor = value.float()
    if not tensor.isfinite().all():
        raise PlateauError(f"recipe.code: {named} gives values that are no numbers (NaN or infinite)")
    return tensor


def _described(value: Any) -> str:
    if not isinstance(value, torch.Tensor):
        return type(value).__name__
    shape = str(tuple(value.shape))
    is_channels_last = value.ndim == 3 and value.shape[-1] in (1, 3)
    return f"{shape}: its channels come last, permute(2, 0, 1) puts them first" if is_channels_last else shape
