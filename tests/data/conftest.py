"""Files that tests make."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def draw(seed: int, size: tuple[int, int] = (40, 30)) -> Image.Image:
    """Returns a smooth, colourful picture of (width, height) that no other seed resembles."""
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 5, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


@pytest.fixture(scope="session")
def photo() -> Callable[..., Image.Image]:
    """The function that draws pictures."""
    return draw


@pytest.fixture
def class_folders(tmp_path) -> Path:
    """Two classes with 10 pictures each, one with a name that must be escaped."""
    for number, name in enumerate(("<b>x", "plain")):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for index in range(10):
            draw(100 * number + index).save(tmp_path / "pictures" / name / f"{index}.png")
    return tmp_path / "pictures"
