"""The analysis of features beside what one would call by hand: umap-learn and scikit-learn as they come."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pandas as pd

from benchmarks.speed.measure import Measured, seconds

ROWS, WIDTH, CLASSES = 20_000, 1280, 10
RANK, NOISE = 40, 0.3  # of what carries the classes, as in features of real networks; around it
BAR = 5.0


def measures() -> Iterator[Measured]:
    """Yields one line: everything of stage feature_shift, beside a map, neighbours and a probe alone."""
    import umap  # noqa: F401  # as it comes: plateau would load it without what it never calls

    features, targets = _features()
    ours, theirs = seconds(lambda: _ours(features, targets)), seconds(lambda: _theirs(features, targets))
    what = f"analysis of {ROWS:,} features of {WIDTH:,}"
    yield Measured(what, "UMAP, LogisticRegression and 5 neighbours, defaults", (theirs / ours,), BAR)


def _features() -> tuple[np.ndarray, np.ndarray]:
    """Returns ReLU-like features (ROWS, WIDTH) float32 and classes (ROWS,)."""
    random = np.random.default_rng(0)
    targets = random.integers(0, CLASSES, ROWS)
    hidden = random.normal(0, 1, (CLASSES, RANK))[targets] + random.normal(0, 1, (ROWS, RANK))
    wide = hidden @ random.normal(0, RANK**-0.5, (RANK, WIDTH)) + random.normal(0, NOISE, (ROWS, WIDTH))
    return np.maximum(wide, 0).astype(np.float32), targets


def _ours(features: np.ndarray, targets: np.ndarray) -> None:
    from plateau_cause.features import analysis
    from plateau_cause.features.views import View

    split = np.array(["train", "train", "train", "val", "test"])[np.arange(ROWS) % 5]
    names = tuple(f"class {number}" for number in range(CLASSES))
    manifest = pd.DataFrame(
        {
            "image_id": [f"{row:05d}" for row in range(ROWS)],
            "label": [names[target] for target in targets],
            "target": targets,
            "split": split,
            "group": None,
        }
    )
    data = SimpleNamespace(
        manifest=manifest, classes=names, targets=targets, indices=lambda name: np.flatnonzero(split == name)
    )
    view = View(features, "none", None, {})
    analysis.analyse(data, dict.fromkeys(("recipe", "canonical", "random"), view))  # type: ignore[arg-type]


def _theirs(features: np.ndarray, targets: np.ndarray) -> None:
    import umap
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier

    training = np.arange(ROWS) % 5 < 3
    umap.UMAP().fit_transform(features)
    for model in (LogisticRegression(), KNeighborsClassifier()):
        model.fit(features[training], targets[training]).score(features[~training], targets[~training])
