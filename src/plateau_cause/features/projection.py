"""One joint UMAP picture of all groups that are to be compared, and how far it can be trusted.

All groups are fitted together on equally many points: fitted points beside transformed ones look like two
domains when there is one (AUC 0.85 where 0.50 is true). The picture is only a picture: every number of the
diagnosis is computed in feature space.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from plateau_cause.features.neighbors import nearest, unit_rows
from plateau_cause.features.shift import pooled_pca

NEIGHBOURS = 15
EPOCHS = 200
MOST_POINTS = 1500


@dataclass(frozen=True)
class Projection:
    """A picture of features.

    Attributes:
        points: (n, 2) float32.
        trustworthiness: 0..1, at 15 neighbours: how few points became neighbours that were none (Venna and
            Kaski 2001); below 0.8 the picture should not be read.
        preservation: share of the 15 nearest neighbours that are neighbours in the picture, 0..1.
    """

    points: np.ndarray
    trustworthiness: float
    preservation: float


def balanced(groups: np.ndarray, most: int = MOST_POINTS, seed: int = 0) -> np.ndarray:
    """Returns sorted row numbers, equally many of every group (N,), at most `most` in all."""
    generator = np.random.default_rng(seed)
    names, counts = np.unique(groups, return_counts=True)
    each = min(int(counts.min()), most // len(names))
    chosen = [generator.permutation(np.flatnonzero(groups == name))[:each] for name in names]
    return np.sort(np.concatenate(chosen))


def project(parts: Sequence[np.ndarray], seed: int = 0) -> Projection:
    """Returns the joint UMAP (McInnes et al. 2018) of all parts (n_i, D), points in the order of the parts.

    Principal components fitted on the pool, rows of length 1, exact neighbours; repeatable with the same seed
    and the same versions of umap-learn and numba.
    """
    space = unit_rows(np.concatenate(pooled_pca(parts)))  # (n, 50)
    k = min(NEIGHBOURS, len(space) - 1)
    found, similarity = nearest(space, space, k)  # each point is its own first neighbour, as umap expects
    distance = np.sqrt(np.maximum(2.0 - 2.0 * similarity, 0.0)).astype(np.float32)
    model = _umap().UMAP(
        n_neighbors=k,
        min_dist=0.1,
        n_epochs=EPOCHS,
        init="pca",
        precomputed_knn=(found, distance),
        random_state=seed,
        n_jobs=1,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # says that new points could not be added later: none will be
        points = np.asarray(model.fit_transform(space), np.float32)
    return Projection(points, *_quality(space, points, k))


def _umap() -> Any:
    """Returns the umap module, quick to load: 1 s instead of 17 s where numba's cache is cold.

    pynndescent compiles its index at import and is never called here (the neighbours are given), so it is
    imported without compilation. What umap itself compiles is kept on disk for the next process.
    """
    if "umap" in sys.modules:
        return sys.modules["umap"]
    from numba.core import config
    from numba.core.dispatcher import Dispatcher

    before, config.DISABLE_JIT = config.DISABLE_JIT, True  # type: ignore[attr-defined]
    try:
        importlib.import_module("pynndescent")
    finally:
        config.DISABLE_JIT = before  # type: ignore[attr-defined]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImportWarning)  # parametric UMAP wants tensorflow
        import umap
    for module in (umap.umap_, umap.layouts, umap.utils):
        for compiled in vars(module).values():
            if isinstance(compiled, Dispatcher):
                compiled.enable_caching()
    return umap


def _quality(space: np.ndarray, points: np.ndarray, k: int) -> tuple[float, float]:
    """Returns trustworthiness and neighbour preservation at k neighbours."""
    from sklearn.manifold import trustworthiness
    from sklearn.neighbors import NearestNeighbors

    k = min(k, (len(space) - 1) // 2)  # trustworthiness is defined up to half the points
    before, after = (
        NearestNeighbors(n_neighbors=k).fit(x).kneighbors(return_distance=False) for x in (space, points)
    )
    kept = [len(np.intersect1d(a, b)) for a, b in zip(before, after, strict=True)]
    return float(trustworthiness(space, points, n_neighbors=k)), float(np.mean(kept) / k)
