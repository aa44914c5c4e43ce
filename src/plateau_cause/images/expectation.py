"""What a network expects of the images that it sees."""

from __future__ import annotations

from dataclasses import dataclass

from plateau_cause.config.recipe import Triple


@dataclass(frozen=True)
class Expectation:
    """The input that a backbone's weights were trained on, in unit scale and RGB order.

    Attributes:
        mean, std: per channel, of pixel values 0..1.
        size: input height = width, pixels.
        interpolation: nearest | bilinear | bicubic.
        crop_frac: side of the central crop divided by the side of the resized image.
        source: where these numbers come from, in words.
    """

    mean: Triple
    std: Triple
    size: int
    interpolation: str
    crop_frac: float
    source: str
