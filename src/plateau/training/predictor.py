"""A trained classifier that reads plain images: what is logged to MLflow and served."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import nn

from plateau.preprocessing import normalize, resize_one
from plateau.recipe import Preprocessing


@dataclass
class Predictor:
    """Images in, labels and probabilities out.

    Attributes:
        model: the trained network, on the CPU.
        preprocessing: complete, with numbers for mean and std.
        classes: names, in the order of the outputs.
        gives_probabilities: whether the outputs are probabilities already.
    """

    model: nn.Module
    preprocessing: Preprocessing
    classes: tuple[str, ...]
    gives_probabilities: bool = False

    @torch.inference_mode()
    def predict(self, images: np.ndarray) -> pd.DataFrame:
        """Returns one row per image: label, then one probability column per class.

        Args:
            images: uint8 RGB (N, H, W, 3).
        """
        resized = np.stack([resize_one(np.ascontiguousarray(image), self.preprocessing) for image in images])
        batch = torch.from_numpy(resized).permute(0, 3, 1, 2)  # (N, 3, S, S)
        outputs = self.model.eval()(normalize(batch, self.preprocessing)).float()
        probabilities = (outputs if self.gives_probabilities else outputs.softmax(1)).numpy()
        table = pd.DataFrame(probabilities, columns=[f"probability: {name}" for name in self.classes])
        table.insert(0, "label", [self.classes[i] for i in probabilities.argmax(1)])
        return table
