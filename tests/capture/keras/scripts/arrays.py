import pathlib

import numpy as np
from PIL import Image


def load(folder):
    classes = sorted(path.name for path in pathlib.Path(folder).iterdir())
    files = [
        (path, number)
        for number, name in enumerate(classes)
        for path in sorted(pathlib.Path(folder, name).iterdir())
    ]
    images = np.stack([np.asarray(Image.open(path), "float32") for path, _ in files])
    return images, np.array([number for _, number in files])
