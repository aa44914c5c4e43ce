"""A data set in memory with what the features code reads of a prepared one."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest


@dataclass(frozen=True)
class MemoryDataset:
    manifest: pd.DataFrame
    store: SimpleNamespace
    classes: tuple[str, ...]

    @property
    def targets(self) -> np.ndarray:
        return self.manifest["target"].to_numpy(np.int64)

    def indices(self, split: str) -> np.ndarray:
        return np.flatnonzero(self.manifest["split"] == split)


def memory_dataset(
    images: np.ndarray, targets: np.ndarray, classes: tuple[str, ...], seed: int = 0
) -> MemoryDataset:
    """Returns a data set of uint8 images (N, H, W, 3) with 60, 20, 20 % of them in train, val and test."""
    order = np.random.default_rng(seed).permutation(len(targets))
    split = np.full(len(targets), "train", object)
    split[order[: len(order) // 5]], split[order[len(order) // 5 : 2 * len(order) // 5]] = "val", "test"
    manifest = pd.DataFrame(
        {
            "image_id": [f"digits-{i:04d}" for i in range(len(targets))],
            "label": [classes[t] for t in targets],
            "target": targets,
            "split": split,
            "group": None,
        }
    )
    return MemoryDataset(
        manifest, SimpleNamespace(image=lambda i: images[i], __len__=lambda: len(images)), classes
    )


@pytest.fixture(scope="session")
def digits_dataset() -> MemoryDataset:
    """300 of scikit-learn's digits, gray, 8 x 8; one class has a name that must be escaped."""
    from sklearn.datasets import load_digits

    data = load_digits()
    images = np.repeat((data.images[:300, :, :, None] * 15).astype(np.uint8), 3, axis=3)
    classes = ("<script>alert(1)</script>", "_one", "$two", *map(str, range(3, 10)))
    return memory_dataset(images, data.target[:300].astype(np.int64), classes)


@pytest.fixture(scope="session")
def color_dataset() -> MemoryDataset:
    """60 images of colour noise, 8 x 8."""
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 3)).astype(np.uint8)
    return memory_dataset(images, np.zeros(60, np.int64), ("a",))
