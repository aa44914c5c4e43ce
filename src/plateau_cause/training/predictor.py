"""A trained classifier that reads plain images: what is logged to MLflow and served."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch import nn

from plateau_cause.config.recipe import Preprocessing
from plateau_cause.images.preprocessing import normalize, resize_one
from plateau_cause.training.model import reads_gray
from plateau_cause.training.outputs import decisions, forward, logits
from plateau_cause.training.transforms import as_tensor, fit_channels


@dataclass
class Predictor:
    """Images in, labels and probabilities out.

    Attributes:
        model: the trained network, on the CPU.
        preprocessing: complete, with numbers for mean and std.
        classes: names, in the order of the outputs.
        gives_probabilities: whether the outputs are probabilities already.
        transform: the user's own, (PIL image, False) to tensor, which then takes the preprocessing's place.
    """

    model: nn.Module
    preprocessing: Preprocessing
    classes: tuple[str, ...]
    gives_probabilities: bool = False
    transform: Callable[[Image.Image, bool], Any] | None = None

    @torch.inference_mode()
    def predict(self, images: np.ndarray) -> pd.DataFrame:
        """Returns one row per image: label, then one probability column per class.

        Args:
            images: uint8 RGB (N, H, W, 3).
        """
        given = logits(forward(self.model.eval(), self._inputs(images)))
        count = len(self.classes)
        known = given.float()[:, :count] if given.ndim > 1 else given.float()  # others are no classes
        outputs = decisions(known, count, self.gives_probabilities)
        probabilities = (outputs if self.gives_probabilities else outputs.softmax(1)).numpy()
        table = pd.DataFrame(probabilities, columns=[f"probability: {name}" for name in self.classes])
        table.insert(0, "label", [self.classes[i] for i in probabilities.argmax(1)])
        return table

    def _inputs(self, images: np.ndarray) -> torch.Tensor:
        """Returns what the model reads, (N, C, S, S) float32."""
        if self.transform is not None:
            pictures = (Image.fromarray(np.ascontiguousarray(image)) for image in images)
            return torch.stack([as_tensor(self.transform(picture, False)) for picture in pictures]).float()
        resized = np.stack([resize_one(np.ascontiguousarray(image), self.preprocessing) for image in images])
        inputs = normalize(torch.from_numpy(resized).permute(0, 3, 1, 2), self.preprocessing)
        return fit_channels(inputs, 1) if reads_gray(self.model) else inputs
