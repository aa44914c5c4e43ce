"""What a model was trained on: which images, and what the backbone saw of them. Pixels are never kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from plateau_cause import artifacts
from plateau_cause.features.shift import MOST_ROWS

if TYPE_CHECKING:
    from plateau_cause.config.params import BackboneParams
    from plateau_cause.features.views import View
    from plateau_cause.images.store import Dataset

IMAGES, SAMPLE, NETWORK = "images.parquet", "sample.npz", "network.json"
COLUMNS = ["image_id", "sha256", "label", "split"]
LEARNED_FROM = ("train", "val")  # the validation images chose the epoch


@dataclass(frozen=True)
class TrainingSet:
    """The data that one model comes from.

    Attributes:
        images: one row per image of all splits: image_id, sha256, label, split.
        features: (n, D) float32 of a sample of the training images, n <= MOST_ROWS.
        labels: (n,) str, their classes.
        network: what computed the features; those of two networks cannot be compared.
    """

    images: pd.DataFrame
    features: np.ndarray
    labels: np.ndarray
    network: Mapping[str, Any]

    def knows(self, manifest: pd.DataFrame, splits: Sequence[str]) -> np.ndarray:
        """Returns (N,) booleans: which images of a manifest lie in these splits here.

        An image is known by its content or by its id: content alone would miss images that were stored at
        another size.
        """
        own = self.images[self.images["split"].isin(splits)]
        known = manifest["sha256"].isin(own["sha256"]) | manifest["image_id"].isin(own["image_id"])
        return known.to_numpy(bool)

    def class_counts(self) -> dict[str, int]:
        """Returns the number of training images per class."""
        return class_counts(self.images)


def class_counts(images: pd.DataFrame) -> dict[str, int]:
    """Returns the number of training images per class, by columns label and split."""
    counts = images.loc[images["split"] == "train", "label"].value_counts().sort_index()
    return {str(label): int(count) for label, count in counts.items()}


def describe(dataset: Dataset, view: View, backbone: BackboneParams, seed: int = 0) -> TrainingSet:
    """Returns what a model trained on this data set comes from.

    Args:
        dataset: prepared images.
        view: features of its images, or of a sample of them.
        backbone: whose features they are.
        seed: of the sample.
    """
    followed = view.followed(dataset)
    rows = followed.indices("train")
    sample = np.sort(np.random.default_rng(seed).permutation(rows)[:MOST_ROWS])
    images = dataset.manifest[COLUMNS].reset_index(drop=True)
    labels = followed.manifest["label"].to_numpy(str)[sample]
    return TrainingSet(images, view.features[sample], labels, network_of(view, backbone))


def network_of(view: View, backbone: BackboneParams) -> dict[str, Any]:
    """Returns what computes a view's features: backbone, weights, preprocessing; plain types."""
    preprocessing = None if view.preprocessing is None else asdict(view.preprocessing)
    found: dict[str, Any] = artifacts.plain(
        {"backbone": backbone.name, "weights": view.weights, "preprocessing": preprocessing}
    )
    return found


def save(folder: Path, found: TrainingSet) -> None:
    """Writes a training set into the folder, all of it at once."""
    with artifacts.atomic_folder(folder) as temporary:
        artifacts.write_parquet(temporary / IMAGES, found.images)
        artifacts.write_arrays(temporary / SAMPLE, features=found.features, labels=found.labels)
        artifacts.write_json(temporary / NETWORK, found.network)


def load(folder: Path) -> TrainingSet:
    """Returns a training set that `save` wrote.

    Raises:
        PlateauError: a file of it is missing.
    """
    sample = artifacts.read_arrays(folder / SAMPLE)
    images, network = artifacts.read_parquet(folder / IMAGES), artifacts.read_json(folder / NETWORK)
    return TrainingSet(images, sample["features"], sample["labels"], network)
