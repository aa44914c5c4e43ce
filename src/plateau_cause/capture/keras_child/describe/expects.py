"""What images the weights of a known network expect, as Keras' documentation states it."""

from __future__ import annotations

import re
from typing import Any

# The ways in which pixels of 0 to 255 reach a network; `keras.applications` calls three of them modes.
SAID = {
    "byte": "0 to 255",
    "unit": "0 to 1",
    "tf": "-1 to 1",
    "torch": "0 to 1, less ImageNet's mean, by its deviation",
    "caffe": "0 to 255 in BGR, less ImageNet's mean",
}
# Beginnings of names of functions and models, with underscores and case left out; longest first.
NETWORKS = {
    "resnet50v2": "tf", "resnet101v2": "tf", "resnet152v2": "tf", "inceptionresnetv2": "tf",
    "efficientnetv2": "byte", "efficientnet": "byte", "mobilenetv3": "byte", "mobilenetv2": "tf",
    "mobilenet": "tf", "inceptionv3": "tf", "xception": "tf", "nasnet": "tf", "densenet": "torch",
    "resnetrs": "byte", "regnet": "byte", "convnext": "byte", "resnet50": "caffe", "resnet101": "caffe",
    "resnet152": "caffe", "vgg16": "caffe", "vgg19": "caffe",
}  # fmt: skip
WITHOUT = {  # where `include_preprocessing=False` leaves the rescaling to the user
    "efficientnetv2b": "torch", "efficientnetv2": "tf", "mobilenetv3": "tf", "convnext": "torch",
}  # fmt: skip
NARROW = 0.2  # of the range of a way: images that fill less of it came another way
RINGS = 0.2  # by how much a bicubic resize, or a change of brightness, overshoots the range
BRIGHT = 160  # more than the brightest value of the way that subtracts a mean
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CAFFE = (103.939, 116.779, 123.68)  # of blue, green, red


def of_network(name: str, includes_preprocessing: bool = True) -> str | None:
    """Returns the way in which a network's published weights expect images; None where it is not known."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    tables = [NETWORKS] if includes_preprocessing else [WITHOUT, NETWORKS]
    for table in tables:
        found = next((way for start, way in table.items() if plain.startswith(start)), None)
        if found:
            return found
    return None


def stretched(least: float, most: float, wanted: str) -> tuple[list[float], list[float], bool]:
    """Returns the affine map, as `change` does, from values of which the way is not known.

    The darkest and the brightest are taken for black and white: images that were prepared twice lie within
    a narrow range.
    """
    scale = 255 / (most - least)
    to_wanted, offset, flips = _from_byte(wanted)
    return [scale * one for one in to_wanted], [
        shift - least * scale * one for one, shift in zip(to_wanted, offset, strict=True)], flips  # fmt: skip


def seen(least: float, most: float, channels: list[float]) -> str | None:
    """Returns the way in which values reached a network; None where they are like none of them.

    Args:
        least: the smallest value.
        most: the largest.
        channels: the mean of each channel.
    """
    spread = most - least
    if least >= -1e-4:
        return "byte" if most > 8 else "unit" if 0.1 < most <= 1.001 else None
    if most > BRIGHT and least > -RINGS * 255:
        return "byte"
    if least > -RINGS and 0.5 < most <= 1 + RINGS and most > -2 * least:
        return "unit"
    if least < -8:
        is_within = least >= -CAFFE[2] - 1 and most <= 255 - CAFFE[0] + 1
        return "caffe" if is_within and spread > NARROW * 255 else None
    if least >= -1.001 and most <= 1.001:
        return "tf" if spread > NARROW * 2 else None
    if abs(least + 1) <= RINGS and abs(most - 1) <= RINGS:
        return "tf"
    return "torch" if least >= -2.2 and most <= 2.75 and spread > NARROW * 4.8 else None


def change(given: str, wanted: str) -> tuple[list[float], list[float], bool]:
    """Returns the affine map from one way to another: scale and offset per channel, whether they turn round.

    The map is `x[..., ::-1] * scale + offset` where the channels turn round, else `x * scale + offset`.
    """
    first, second = _from_byte(given), _from_byte(wanted)
    flips = first[2] != second[2]
    before = [list(reversed(part)) if flips else list(part) for part in first[:2]]
    scale = [b / a for a, b in zip(before[0], second[0], strict=True)]
    offset = [d - c * s for c, s, d in zip(before[1], scale, second[1], strict=True)]
    return scale, offset, flips


def _from_byte(way: str) -> tuple[list[float], list[float], bool]:
    """Returns how a way follows from 0..255: scale, offset, and whether the channels stand as BGR."""
    if way == "torch":
        return [1 / 255 / d for d in DEVIATION], [-m / d for m, d in zip(MEAN, DEVIATION, strict=True)], False
    if way == "caffe":
        return [1.0] * 3, [-m for m in CAFFE], True
    scale, offset = {"byte": (1.0, 0.0), "unit": (1 / 255, 0.0), "tf": (2 / 255, -1.0)}[way]
    return [scale] * 3, [offset] * 3, False


def words(way: str | None, facts: dict[str, Any] | None = None) -> str:
    """Returns a way in words; of an unknown one the values themselves."""
    if way is not None:
        return SAID[way]
    return f"{facts['least']:.3g} to {facts['most']:.3g}" if facts else "not known"
