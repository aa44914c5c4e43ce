"""Coloured digits as folders of PNG files: what scripts and plateau both read; the same bytes every time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from plateau_cause import artifacts

# Training images of each digit: rarer and rarer, 321 in all. Batches of 4, 16 and 32 leave one over.
PER_CLASS = (51, *range(46, 10, -4))
VAL, TEST = 150, 600
SHAPE_PX = (40, 32)  # not square: every way of resizing gives another image


def write(folder: Path) -> Path:
    """Returns the folder with train, val and test, each a folder per class; written unless it is there."""
    from sklearn.datasets import load_digits

    if folder.exists():
        return folder
    scans = load_digits()
    random = np.random.default_rng(0)
    order = random.permutation(len(scans.images))
    val, test, rest = np.split(order, [VAL, VAL + TEST])
    train = [
        row for digit, count in enumerate(PER_CLASS) for row in rest[scans.target[rest] == digit][:count]
    ]
    with artifacts.atomic_folder(folder) as temporary:
        for split, rows in {"train": train, "val": val, "test": test}.items():
            for row in rows:
                path = temporary / split / str(scans.target[row]) / f"{row:04d}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                _picture(scans.images[row], random).save(path)
    return folder


def _picture(scan: np.ndarray, random: np.random.Generator) -> Image.Image:
    """Returns one scan (8, 8) of 0..16 as noisy ink of a warm colour on dark ground."""
    gray = Image.fromarray((scan * (255 / 16)).astype(np.uint8)).resize(SHAPE_PX, Image.Resampling.BICUBIC)
    ink = np.asarray(gray, np.float64)[..., None] * random.uniform([0.6, 0.3, 0.1], [1.0, 0.8, 0.5])
    return Image.fromarray((ink + random.normal(30, 25, (*ink.shape[:2], 3))).clip(0, 255).astype(np.uint8))
