"""Which part of an image a transform keeps, and whether its colours: told by an image made for it."""

from __future__ import annotations

import math
from typing import Any

from plateau_cause.capture.child.chance import chance_kept, seeded
from plateau_cause.capture.child.describe.samples import Sample
from plateau_cause.capture.child.describe.transforms import held_transform

DRAWS = 8  # of a transform that changes at random
SEED = 7
GREY = 0.01  # by which channels differ, of 0..1, where there is no colour


def part_seen(data_set: Any, seen: list[Sample], normalised: dict[str, Any] | None) -> float | None:
    """Returns which part of an image's area a data set's transform keeps on average, 0..1.

    It is given an image whose red grows from left to right and whose green from top to bottom: how far both
    still reach tells. None where it returns no picture, or what it does to values is unknown.
    """
    transform = held_transform(data_set)
    size = next((one.raw.image.shape[:2] for one in seen if one.raw and one.raw.image is not None), None)
    if transform is None or size is None or normalised is None:
        return None
    with chance_kept(), seeded(SEED):
        try:
            kept = [_kept(transform(_ramps(*size)), normalised) for _ in range(DRAWS)]
        except Exception:  # it takes something else than an image of Pillow
            return None
    return None if None in kept else float(sum(one or 0.0 for one in kept) / DRAWS)


def is_grey(seen: list[Sample], normalised: dict[str, Any] | None) -> bool | None:
    """Returns whether images have lost their colours on the way; None where they had none, or unknown."""
    import torch

    pairs = [(one.raw.image, one.tensor) for one in seen if one.raw is not None and one.tensor is not None]
    fit = [(raw, tensor) for raw, tensor in pairs
           if getattr(raw, "ndim", 0) == 3 and tensor.ndim == 3 and len(tensor) == 3]  # fmt: skip
    if not fit or normalised is None:
        return None
    mean, std = (torch.tensor(normalised[name]).reshape(3, 1, 1) for name in ("mean", "std"))
    before = [_colour(torch.from_numpy(raw / 255.0).permute(2, 0, 1)[:3]) for raw, _ in fit]
    after = [_colour(tensor.float() * std + mean) for _, tensor in fit]
    return max(after) < GREY if max(before) > 4 * GREY else None


def _colour(image: Any) -> float:
    return float((image.amax(0) - image.amin(0)).mean())


def _ramps(height: int, width: int) -> Any:
    import numpy as np
    from PIL import Image

    image = np.full((height, width, 3), 127, np.uint8)
    image[..., 0] = np.linspace(0, 255, width)[None, :].round()
    image[..., 1] = np.linspace(0, 255, height)[:, None].round()
    return Image.fromarray(image)


def _kept(tensor: Any, normalised: dict[str, Any]) -> float | None:
    """Returns the part of the area that a picture of the ramps shows: evenly spread, both have this range."""
    if getattr(tensor, "ndim", 0) != 3 or len(tensor) != 3:
        return None
    red, green = (0, 1) if normalised["channels"] == "rgb" else (2, 1)
    spread = [float(tensor[one].float().std()) * float(normalised["std"][one]) for one in (red, green)]
    return math.prod(min(one * math.sqrt(12), 1.0) for one in spread)
