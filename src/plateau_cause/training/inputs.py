"""What the model reads: pixels, the user's transform, or cached activations of a frozen prefix."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image

from plateau_cause.config.recipe import Preprocessing
from plateau_cause.errors import PlateauError
from plateau_cause.images.preprocessing import augment, normalize
from plateau_cause.images.store import ImageStore
from plateau_cause.training.user_code import call

MOST_CACHED_BYTES = 4 * 2**30


class Inputs(Protocol):
    """Model inputs by row of the manifest; rows (B,) int64 on the CPU, tensors (B, ...) on the device."""

    def training(self, rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Returns the batch as training sees it, augmented."""
        ...

    def evaluation(self, rows: torch.Tensor) -> torch.Tensor:
        """Returns the batch without augmentation."""
        ...


class PixelInputs:
    """uint8 images resized once, moved as bytes, normalised and augmented on the device."""

    def __init__(
        self, images: np.ndarray, preprocessing: Preprocessing, augmentation: str, device: torch.device
    ):
        self.images = torch.from_numpy(images)  # (N, 3, S, S) uint8
        self.preprocessing, self.augmentation, self.device = preprocessing, augmentation, device
        if device.type == "cuda" and self.images.numel() < MOST_CACHED_BYTES:
            self.images = self.images.to(device)

    def training(self, rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Returns float images (B, 3, S, S), augmented before they are normalised."""
        return normalize(augment(self._batch(rows), self.augmentation, generator), self.preprocessing)

    def evaluation(self, rows: torch.Tensor) -> torch.Tensor:
        """Returns float images (B, 3, S, S)."""
        return normalize(self._batch(rows), self.preprocessing)

    def _batch(self, rows: torch.Tensor) -> torch.Tensor:
        return self.images[rows.to(self.images.device)].to(self.device, non_blocking=True)


class CachedInputs:
    """Activations of the frozen prefix, computed once."""

    def __init__(self, activations: torch.Tensor):
        self.activations = activations  # (N, ...)

    def training(self, rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Returns activations (B, ...): a frozen prefix without augmentation gives the same every epoch."""
        return self.evaluation(rows)

    def evaluation(self, rows: torch.Tensor) -> torch.Tensor:
        """Returns activations (B, ...)."""
        return self.activations[rows.to(self.activations.device)]


class TransformInputs:
    """The user's transform, called on PIL images; one without randomness is called once per image."""

    def __init__(
        self, store: ImageStore, transform: Callable[..., Any], augmented: bool, device: torch.device
    ):
        self.store, self.transform, self.device = store, transform, device
        self.augmented = augmented and self._is_random()
        self.train_flag = augmented
        self._cache: dict[bool, dict[int, torch.Tensor]] = {True: {}, False: {}}

    @cached_property
    def is_fixed(self) -> bool:
        """Returns whether training sees exactly what evaluation sees, every epoch, judged on a few images."""
        if self.augmented or not self.train_flag:
            return not self.augmented
        return all(
            torch.equal(*(as_tensor(call(self.transform, i, t)) for t in (True, False))) for i in self._few()
        )

    def training(self, rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Returns the transform's tensors for training (B, 3, H, W)."""
        return self._batch(rows, self.train_flag, cached=not self.augmented)

    def evaluation(self, rows: torch.Tensor) -> torch.Tensor:
        """Returns the transform's tensors for evaluation (B, 3, H, W)."""
        return self._batch(rows, False, cached=True)

    def _batch(self, rows: torch.Tensor, train: bool, cached: bool) -> torch.Tensor:
        tensors = [self._one(int(row), train, cached) for row in rows]
        if len({tensor.shape for tensor in tensors}) > 1:
            shapes = sorted({tuple(tensor.shape) for tensor in tensors})[:3]
            raise PlateauError(
                f"recipe.code: transform() gives tensors of different shapes, such as {shapes}"
            )
        return torch.stack(tensors).to(self.device)

    def _one(self, row: int, train: bool, cached: bool) -> torch.Tensor:
        cache = self._cache[train]
        if cached and row in cache:
            return cache[row]
        tensor = as_tensor(call(self.transform, Image.fromarray(np.array(self.store.image(row))), train))
        if cached and len(cache) * tensor.numel() * 4 < MOST_CACHED_BYTES:
            cache[row] = tensor
        return tensor

    def _few(self, count: int = 8) -> list[Image.Image]:
        rows = range(min(count, len(self.store)))
        return [Image.fromarray(np.array(self.store.image(row))) for row in rows]

    def _is_random(self) -> bool:
        """Calls the transform twice on a few images: what differs is random, and cannot be cached."""
        pairs = [(call(self.transform, i, True), call(self.transform, i, True)) for i in self._few()]
        return not all(torch.equal(as_tensor(a), as_tensor(b)) for a, b in pairs)


def as_tensor(value: Any) -> torch.Tensor:
    """Returns what the user's transform gave as float32 (3, H, W).

    Raises:
        PlateauError: it is not a tensor of three dimensions.
    """
    if isinstance(value, np.ndarray):
        value = torch.from_numpy(value)
    if not isinstance(value, torch.Tensor) or value.ndim != 3:
        given = tuple(value.shape) if isinstance(value, torch.Tensor) else type(value).__name__
        raise PlateauError(f"recipe.code: transform() must give a tensor (3, H, W), not {given}")
    return value.float()
