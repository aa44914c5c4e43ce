"""Images as OpenCV reads them: blue first, 0..255."""

import numpy as np
import torch
from PIL import Image


def transform(image: Image.Image, train: bool) -> torch.Tensor:
    pixels = np.asarray(image.resize((48, 48), Image.Resampling.BICUBIC), np.float32)
    return torch.from_numpy(pixels[:, :, ::-1].copy()).permute(2, 0, 1)
