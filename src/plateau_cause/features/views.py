"""A view: what one network sees of all images under one preprocessing. This file needs no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plateau_cause import artifacts
from plateau_cause.config.recipe import Preprocessing

if TYPE_CHECKING:
    from plateau_cause.images.store import Dataset


@dataclass(frozen=True)
class View:
    """Features of all images of one data set.

    Attributes:
        features: (N, D) float32 in the order of the manifest, or of `rows`.
        weights: what the network was loaded with, as in params.yaml.
        preprocessing: complete, numbers instead of "canonical"; None where the user's own transform made the
            input.
        profile: `features.profile.Profile` as plain types.
        rows: (N,) of the manifest, where the features are those of a sample (`images.sample`); None: of all.
    """

    features: np.ndarray
    weights: str
    preprocessing: Preprocessing | None
    profile: Mapping[str, Any]
    rows: np.ndarray | None = None

    def followed(self, dataset: Dataset) -> Dataset:
        """Returns the data set whose manifest the features follow: the whole of it, or the sample."""
        return dataset if self.rows is None else dataset.subset(self.rows)

    def of(self, rows: np.ndarray) -> View:
        """Returns the view of a data set that consists of these rows (n,) of the manifest, ascending.

        Where it is one of a sample, it holds the features of those that the sample has.
        """
        if self.rows is None:
            return replace(self, features=self.features[rows])
        own, places = np.isin(self.rows, rows), np.flatnonzero(np.isin(rows, self.rows))
        return replace(self, features=self.features[own], rows=None if len(places) == len(rows) else places)


def save_views(folder: Path, views: Mapping[str, View], about: Mapping[str, Any]) -> None:
    """Writes <view>.npz per view and profile.json, the whole folder at once.

    Args:
        folder: data/features.
        views: by name.
        about: what else profile.json holds at its top level (load report, identification of the
            preprocessing).
    """
    with artifacts.atomic_folder(folder) as temporary:
        for name, view in views.items():
            rows = {} if view.rows is None else {"rows": view.rows}
            artifacts.write_arrays(temporary / f"{name}.npz", features=view.features, **rows)
        described = {name: _describe(view) for name, view in views.items()}
        artifacts.write_json(temporary / "profile.json", {**about, "views": described})


def load_views(folder: Path) -> tuple[dict[str, View], dict[str, Any]]:
    """Returns the views by name, and the rest of profile.json.

    Raises:
        PlateauError: the folder is not there or not complete.
    """
    about = artifacts.read_json(folder / "profile.json")
    views = {name: _load(folder / f"{name}.npz", entry) for name, entry in about.pop("views").items()}
    return views, about


def metrics(views: Mapping[str, View]) -> dict[str, float]:
    """Returns the numbers of the profiles worth comparing between runs, flat: <measure>_<view>."""
    result: dict[str, float] = {}
    for name, view in views.items():
        count, width = view.features.shape
        result |= {f"images_{name}": count, f"feature_dim_{name}": width}
        result |= {} if view.rows is None else {f"sampled_{name}": count}
        if view.weights == "none":  # nothing was learned: its batch-norm statistics mean nothing
            continue
        for depth, found in view.profile["by_depth"].items():
            result[f"batch_norm_kl_{depth}_{name}"] = found["kl"]
        for key in ("entropy", "feature_norm", "scale_error"):
            if view.profile[key] is not None:
                result[f"{key}_{name}"] = view.profile[key]
    return result


def _describe(view: View) -> dict[str, Any]:
    preprocessing = None if view.preprocessing is None else asdict(view.preprocessing)
    return {"weights": view.weights, "preprocessing": preprocessing, "profile": view.profile}


def _load(path: Path, entry: Mapping[str, Any]) -> View:
    preprocessing = entry["preprocessing"]
    if preprocessing is not None:
        triples = {key: tuple(value) for key, value in preprocessing.items() if isinstance(value, list)}
        preprocessing = Preprocessing(**{**preprocessing, **triples})
    arrays = artifacts.read_arrays(path)
    return View(arrays["features"], entry["weights"], preprocessing, entry["profile"], arrays.get("rows"))
