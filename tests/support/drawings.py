"""Drawings of a few shapes: a data set that is learned from few images, and that a test can draw anew."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

CORNERS = {"disc": 0, "square": 4, "star": 10, "triangle": 3}


def draw(kind: str, random: np.random.Generator, side: int = 32) -> Image.Image:
    """Returns one shape, turned, in random colours on a noisy ground."""
    ground, colour = (tuple(int(v) for v in random.integers(0, 256, 3)) for _ in range(2))
    image = Image.new("RGB", (side, side), ground)
    (x, y), radius, turn = (
        random.uniform(0.4, 0.6, 2) * side,
        random.uniform(0.25, 0.45) * side,
        random.random(),
    )
    corners = CORNERS[kind]
    if corners:
        radii = [radius * (0.4 if kind == "star" and corner % 2 else 1.0) for corner in range(corners)]
        angles = [2 * math.pi * (corner / corners + turn) for corner in range(corners)]
        points = [(x + r * math.cos(a), y + r * math.sin(a)) for r, a in zip(radii, angles, strict=True)]
        ImageDraw.Draw(image).polygon(points, fill=colour)
    else:
        ImageDraw.Draw(image).ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    noisy = np.asarray(image, float) + random.normal(0, 12, (side, side, 3))
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def save(folder: Path, name: str, counts: Sequence[int], seed: int, wrong_frac: float = 0.0) -> None:
    """Saves so many drawings per class into class folders; a share, chosen by lot, into a wrong one."""
    random = np.random.default_rng(seed)
    kinds = list(CORNERS)
    for target, (kind, count) in enumerate(zip(kinds, counts, strict=True)):
        for index in range(count):
            is_wrong = random.random() < wrong_frac
            label = kinds[(target + random.integers(1, len(kinds))) % len(kinds)] if is_wrong else kind
            (folder / label).mkdir(parents=True, exist_ok=True)
            draw(kind, random).save(folder / label / f"{name}-{kind}-{index:03d}.png")
