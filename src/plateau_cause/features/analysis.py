"""Everything that is asked of the features: probes, shift tests, label noise, learning curve, picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from plateau_cause.features import describe, noise, probes, projection, shift
from plateau_cause.features.blas import one_thread
from plateau_cause.features.describe import Fitted
from plateau_cause.features.learning_curve import LearningCurve, learning_curve
from plateau_cause.features.neighbors import Nearest
from plateau_cause.features.views import View
from plateau_cause.runtime import progress

if TYPE_CHECKING:
    from plateau_cause.images.store import Dataset

TARGET_VIEWS = ("recipe", "canonical", "random")
TRUSTED_VIEWS = ("recipe", "canonical")  # the random one is a control
SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class FeatureShift:
    """What the features say.

    Attributes:
        probes: per view accuracies of k nearest neighbours and linear probe; learning curve; plain types.
        predictions: per image the linear probe's prediction under every view.
        tests: two-sample tests by name, plain types.
        noise: label-noise evidence for "train" and "held_out", flagged images by manifest row, plain types.
        points: the joint picture: row, image_id, view, split, label, x, y.
        picture: its quality.
        sampled: images that all this is about, where they are a sample (`images.sample`); None: all.
    """

    probes: dict[str, Any]
    predictions: pd.DataFrame
    tests: dict[str, Any]
    noise: dict[str, Any]
    points: pd.DataFrame
    picture: projection.Projection
    sampled: int | None = None

    @property
    def metrics(self) -> dict[str, float]:
        """Returns the numbers worth comparing between runs, flat: accuracies, effects and p-values."""
        result: dict[str, float] = {}
        for view, found in self.probes["views"].items():
            for kind in ("knn", "linear_probe"):
                result |= {f"{kind}_{view}_{split}": a for split, a in found[kind]["accuracy"].items()}
        for name, test in self.tests.items():
            result |= {
                f"shift_{name}_{key}": test[key] for key in ("mmd", "mmd_p", "auc", "auc_p", "distance_sd")
            }
        result |= {f"label_noise_{split}": self.noise[split]["rate"] for split in ("train", "held_out")}
        result |= {
            f"class_overlap_{split}": self.noise[split]["overlap_rate"] for split in ("train", "held_out")
        }
        result |= {"more_data_gain": self.probes["learning_curve"]["gain"][0]}
        quality = {"trustworthiness": self.picture.trustworthiness, "preservation": self.picture.preservation}
        result |= {f"umap_{name}": value for name, value in quality.items()}
        return result if self.sampled is None else result | {"sampled": self.sampled}


def analyse(
    dataset: Dataset, views: Mapping[str, View], reference: Dataset | None = None, seed: int = 0
) -> FeatureShift:
    """Returns everything the features of these views say about the data set.

    Args:
        dataset: whose manifest rows the views "recipe", "canonical", "random" follow; all, or a sample.
        views: from `features.embed.embed_views`.
        reference: whose manifest rows the view "reference" follows, where there is one.
        seed: of folds, permutations, subsamples and picture.
    """
    rows, dataset = views["recipe"].rows, views["recipe"].followed(dataset)
    reference = reference and views["reference"].followed(reference)
    found = _analyse(dataset, views, reference, seed)
    return found if rows is None else _of_all(found, views, rows)


def _of_all(found: FeatureShift, views: Mapping[str, View], rows: np.ndarray) -> FeatureShift:
    """Returns what was found in a sample, with row numbers of the whole manifest, and marked as such."""
    size = {"sampled": len(rows)}
    for part in ("train", "held_out"):
        for image in found.noise[part]["flagged"]:
            image["row"] = int(rows[image["row"]])
    places = found.points["row"].to_numpy(np.int64).copy()
    for view, of_view in views.items():
        own = (found.points["view"] == view).to_numpy(bool)
        if of_view.rows is not None:
            places[own] = of_view.rows[places[own]]
    return replace(
        found,
        probes=found.probes | size,
        tests={name: test | size for name, test in found.tests.items()},
        noise=found.noise | size,
        points=found.points.assign(row=places),
        sampled=len(rows),
    )


def _analyse(
    dataset: Dataset, views: Mapping[str, View], reference: Dataset | None, seed: int
) -> FeatureShift:
    with one_thread():
        fitted = _probe_views(dataset, views)
        best = _best_view(fitted)
        features, (knn, probe) = views[best].features, fitted[best]
        jobs: dict[str, Callable[[], Any]] = {
            "tests": lambda: shift_tests(dataset, views, seed),
            "noise": lambda: label_noise(dataset, features, knn.nearest, probe, best, seed),
            "curve": lambda: _curve(dataset, features, probe, seed),
            "picture": lambda: project_views(dataset, views, reference, seed),
        }
        found = {name: job() for name, job in progress(jobs.items(), len(jobs), "feature shift")}
    points, picture = found["picture"]
    return FeatureShift(
        probes=describe.probe_levels(dataset, fitted, found["curve"], best),
        predictions=describe.predictions(dataset, fitted),
        tests=found["tests"],
        noise=found["noise"],
        points=points,
        picture=picture,
    )


def _probe_views(dataset: Dataset, views: Mapping[str, View]) -> Fitted:
    """Returns both probes per view; a view that is the same as another is not fitted again."""
    train, val, test = (dataset.indices(split) for split in SPLITS)
    count, fitted = len(dataset.classes), Fitted()
    for name in TARGET_VIEWS:
        twin = next((other for other in fitted if _same(views[other], views[name])), None)
        features = views[name].features
        if twin is None:
            knn = probes.knn_probe(features, dataset.targets, train, val, test, count)
            fitted[name] = knn, probes.linear_probe(features, dataset.targets, train, val, count, test)
        else:
            fitted[name] = fitted[twin]
    return fitted


def shift_tests(dataset: Dataset, views: Mapping[str, View], seed: int = 0) -> dict[str, Any]:
    """Returns the tests "split" (train against test), "preprocessing" and, where there is one, "reference".

    The views of one preprocessing test are halves of different images: the same image on both sides would
    make the samples dependent.
    """
    canonical, train, test = views["canonical"].features, dataset.indices("train"), dataset.indices("test")
    targets = dataset.targets
    tests = {"split": shift.compare(canonical[train], canonical[test], (targets[train], targets[test]), seed)}
    if not _same(views["recipe"], views["canonical"]):
        order = np.random.default_rng(seed).permutation(len(canonical))
        one, other = np.sort(order[: len(order) // 2]), np.sort(order[len(order) // 2 :])
        sides = views["recipe"].features[one], canonical[other]
        tests["preprocessing"] = shift.compare(*sides, (targets[one], targets[other]), seed)
    if "reference" in views:
        tests["reference"] = shift.compare(canonical, views["reference"].features, seed=seed)
    return {name: describe.shift_test(found, dataset.classes) for name, found in tests.items()}


def label_noise(
    dataset: Dataset, features: np.ndarray, near: Nearest, probe: probes.LinearProbe, view: str,
    seed: int = 0,
) -> dict[str, Any]:  # fmt: skip
    """Returns the label-noise evidence of the training and of the held-out images, plain types.

    Training images are judged by training images only: no label of the test split decides what is trained on.

    Args:
        dataset: N images.
        features: (N, D).
        near: neighbours of all images among those of training, by the same features.
        probe: fitted on the same features.
        view: where the features are from.
        seed: of folds and bootstrap.
    """
    train = dataset.indices("train")
    held_out = np.concatenate([dataset.indices("val"), dataset.indices("test")])
    targets, count = dataset.targets, len(dataset.classes)
    unseen = probes.out_of_fold(
        features, targets, train, count, probe.regularization, _groups(dataset), seed=seed
    )
    found = {
        "train": noise.label_noise(unseen, near, targets, train, seed),
        "held_out": noise.label_noise(probe.probabilities[held_out], near, targets, held_out, seed),
    }
    rows = {"train": train, "held_out": held_out}
    purity = {name: float(noise.neighbour_purity(near, targets, rows[name]).mean()) for name in found}
    described = {
        name: describe.label_noise(one, dataset) | {"purity": purity[name]} for name, one in found.items()
    }
    return {"view": view, **described}


def project_views(
    dataset: Dataset, views: Mapping[str, View], reference: Dataset | None = None, seed: int = 0
) -> tuple[pd.DataFrame, projection.Projection]:
    """Returns the joint picture: the recipe's view, the canonical one where it differs, reference data.

    Equally many images of every split, the same images in both views, and as many reference images again.
    """
    names = ["recipe"] if _same(views["recipe"], views["canonical"]) else ["recipe", "canonical"]
    sides = len(names) + (reference is not None)
    rows = projection.balanced(dataset.manifest["split"].to_numpy(str), projection.MOST_POINTS // sides, seed)
    tables = [_points(dataset, rows, name) for name in names]
    parts = [views[name].features[rows] for name in names]
    if reference is not None:
        chosen = np.random.default_rng(seed).permutation(len(reference.manifest))[: len(rows)]
        tables.append(_points(reference, np.sort(chosen), "reference").assign(split="reference"))
        parts.append(views["reference"].features[np.sort(chosen)])
    picture = projection.project(parts, seed)
    return pd.concat(tables, ignore_index=True).assign(
        x=picture.points[:, 0], y=picture.points[:, 1]
    ), picture


def _curve(dataset: Dataset, features: np.ndarray, probe: probes.LinearProbe, seed: int) -> LearningCurve:
    train, test = dataset.indices("train"), dataset.indices("test")
    return learning_curve(
        features, dataset.targets, train, test, len(dataset.classes), probe.regularization, seed
    )


def _points(dataset: Dataset, rows: np.ndarray, view: str) -> pd.DataFrame:
    chosen = dataset.manifest.iloc[rows]
    table: pd.DataFrame = chosen[["image_id", "split", "label"]].assign(row=rows, view=view)
    return table.reset_index(drop=True)


def _same(one: View, other: View) -> bool:
    return one is other or np.array_equal(one.features, other.features)


def _best_view(fitted: Fitted) -> str:
    """Returns the pretrained view whose linear probe is best on validation, canonical where they tie."""
    return max(TRUSTED_VIEWS, key=lambda name: (fitted[name][1].accuracy["val"], name == "canonical"))


def _groups(dataset: Dataset) -> np.ndarray | None:
    """Returns group names (N,), an image without one being its own group; None where no image has one."""
    group = dataset.manifest["group"]
    return None if group.isna().all() else group.fillna(dataset.manifest["image_id"]).to_numpy(str)
