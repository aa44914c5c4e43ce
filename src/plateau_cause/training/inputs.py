"""What the model reads: pixels, or cached activations of a frozen prefix; see also `transform_inputs`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import torch

from plateau_cause.config.recipe import Preprocessing
from plateau_cause.images.augmentation import augment
from plateau_cause.images.preprocessing import normalize
from plateau_cause.training.transforms import fit_channels

MOST_CACHED_BYTES = 4 * 2**30


class Inputs(Protocol):
    """Model inputs by row of the manifest; rows (B,) int64 on the CPU, tensors (B, ...) on the device."""

    def training(self, rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Returns the batch as training sees it, augmented; what is random follows the generator."""
        ...

    def training_batches(
        self, batches: Sequence[torch.Tensor], generator: torch.Generator
    ) -> Iterator[torch.Tensor]:
        """Yields what `training` gives for each batch in turn."""
        ...

    def evaluation(self, rows: torch.Tensor) -> torch.Tensor:
        """Returns the batch without augmentation."""
        ...

    @property
    def is_fixed(self) -> bool:
        """Whether training sees exactly what evaluation sees, in every epoch."""
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

    def training_batches(
        self, batches: Sequence[torch.Tensor], generator: torch.Generator
    ) -> Iterator[torch.Tensor]:
        """Yields what `training` gives for each batch in turn."""
        return (self.training(rows, generator) for rows in batches)

    def evaluation(self, rows: torch.Tensor) -> torch.Tensor:
        """Returns float images (B, 3, S, S)."""
        return normalize(self._batch(rows), self.preprocessing)

    @property
    def is_fixed(self) -> bool:
        """Returns whether nothing is augmented."""
        return self.augmentation == "none"

    def _batch(self, rows: torch.Tensor) -> torch.Tensor:
        return self.images[rows.to(self.images.device)].to(self.device, non_blocking=True)


class CachedInputs:
    """Activations of the frozen prefix, computed once."""

    is_fixed = True

    def __init__(self, activations: torch.Tensor):
        self.activations = activations  # (N, ...)

    def training(self, rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Returns activations (B, ...): a frozen prefix without augmentation gives the same every epoch."""
        return self.evaluation(rows)

    def training_batches(
        self, batches: Sequence[torch.Tensor], generator: torch.Generator
    ) -> Iterator[torch.Tensor]:
        """Yields what `training` gives for each batch in turn."""
        return (self.evaluation(rows) for rows in batches)

    def evaluation(self, rows: torch.Tensor) -> torch.Tensor:
        """Returns activations (B, ...)."""
        return self.activations[rows.to(self.activations.device)]


class ApartInputs:
    """Some inputs for training, others for evaluation: what a user's file does there alone."""

    is_fixed = False

    def __init__(self, inputs: Inputs, evaluated: Inputs):
        self.inputs, self.evaluated = inputs, evaluated

    def training(self, rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Returns the batch as training sees it."""
        return self.inputs.training(rows, generator)

    def training_batches(
        self, batches: Sequence[torch.Tensor], generator: torch.Generator
    ) -> Iterator[torch.Tensor]:
        """Yields what `training` gives for each batch in turn."""
        return self.inputs.training_batches(batches, generator)

    def evaluation(self, rows: torch.Tensor) -> torch.Tensor:
        """Returns the batch as evaluation sees it."""
        return self.evaluated.evaluation(rows)


class FittedInputs:
    """Other inputs with as many channels as a network reads that takes gray or colour images alone."""

    def __init__(self, inputs: Inputs, channels: int):
        self.inputs, self.channels = inputs, channels

    @property
    def is_fixed(self) -> bool:
        """Returns whether the other inputs are."""
        return self.inputs.is_fixed

    def training(self, rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Returns the batch as training sees it (B, channels, H, W)."""
        return fit_channels(self.inputs.training(rows, generator), self.channels)

    def training_batches(
        self, batches: Sequence[torch.Tensor], generator: torch.Generator
    ) -> Iterator[torch.Tensor]:
        """Yields what `training` gives for each batch in turn."""
        made = self.inputs.training_batches(batches, generator)
        return (fit_channels(batch, self.channels) for batch in made)

    def evaluation(self, rows: torch.Tensor) -> torch.Tensor:
        """Returns the batch without augmentation (B, channels, H, W)."""
        return fit_channels(self.inputs.evaluation(rows), self.channels)
