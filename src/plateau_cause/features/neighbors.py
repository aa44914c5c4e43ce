"""Exact nearest neighbours by cosine similarity: a few matrix products, no index to build or to seed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from plateau_cause.features.blas import one_thread
from plateau_cause.runtime import available_cpus

BLOCK = 2**22  # entries of the similarity matrix at a time: 16 MiB of float32, and twice that to sort them
WORKERS = 4  # blocks side by side at most


@dataclass(frozen=True)
class Nearest:
    """The rows among some that are most similar to each row of a table, itself left out.

    Attributes:
        rows: (N, k) row numbers, most similar first.
        similarity: (N, k) float32 cosine similarities.
    """

    rows: np.ndarray
    similarity: np.ndarray


def nearest_in(features: np.ndarray, base: np.ndarray, k: int) -> Nearest:
    """Returns the neighbours of every row of features (N, D) among the row numbers `base`, at most k."""
    everything = np.arange(len(features))
    found, similarity = nearest(features, features[base], k, positions(everything, base))
    return Nearest(base[found], similarity)


def unit_rows(features: np.ndarray) -> np.ndarray:
    """Returns the rows scaled to length 1, float32; a row of zeros stays zero."""
    rows = np.asarray(features, np.float32)
    norm = np.linalg.norm(rows, axis=1, keepdims=True)  # (N, 1)
    return rows / np.where(norm > 0, norm, 1.0)


def nearest(
    queries: np.ndarray, base: np.ndarray, k: int, own: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the k most similar rows of `base` for every query, most similar first.

    Args:
        queries: (Q, D).
        base: (B, D).
        k: neighbours; at most as many as there are to choose from are returned.
        own: (Q,) position of each query in `base`, which is then left out; -1 where it is not in `base`.

    Returns:
        Positions in `base` (Q, k) int64 and cosine similarities (Q, k) float32.
    """
    left, right = unit_rows(queries), unit_rows(base)
    k = min(k, len(right) - (own is not None))
    block = max(1, BLOCK // max(1, len(right)))
    # Each with one thread of BLAS: the same numbers on any count of cores
    with one_thread(), ThreadPoolExecutor(min(WORKERS, available_cpus())) as pool:
        parts = list(
            pool.map(lambda i: _block(left[i : i + block], right, k, own, i), range(0, len(left), block))
        )
    if not parts:
        return np.zeros((0, k), np.int64), np.zeros((0, k), np.float32)
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def _block(
    left: np.ndarray, right: np.ndarray, k: int, own: np.ndarray | None, start: int
) -> tuple[np.ndarray, np.ndarray]:
    similarity = left @ right.T  # (q, B)
    if own is not None:
        mine = own[start : start + len(left)]
        inside = np.flatnonzero(mine >= 0)
        similarity[inside, mine[inside]] = -np.inf
    # The last k of ascending rows: eight times faster than the first of negated ones
    others = len(right) - k
    found = np.argpartition(similarity, others - (not k), axis=1)[:, others:]  # (q, k), unordered
    values = np.take_along_axis(similarity, found, 1)
    # Equal similarities in the order of `base`: the same everywhere
    order = np.lexsort((found, -values), axis=1)
    return np.take_along_axis(found, order, 1).astype(np.int64), np.take_along_axis(values, order, 1)


def positions(rows: np.ndarray, base_rows: np.ndarray) -> np.ndarray:
    """Returns where each of `rows` stands in `base_rows` (both number one table), -1 where it does not."""
    place = np.full(max(rows.max(initial=-1), base_rows.max(initial=-1)) + 1, -1, np.int64)
    place[base_rows] = np.arange(len(base_rows))
    found: np.ndarray = place[rows]
    return found


def votes(labels: np.ndarray, similarity: np.ndarray, num_classes: int) -> np.ndarray:
    """Returns votes per class (Q, C) of the neighbours' labels (Q, k); similarity only breaks ties."""
    result = np.zeros((len(labels), num_classes), np.float64)
    row = np.arange(len(labels))
    for rank in range(labels.shape[1]):
        result[row, labels[:, rank]] += 1.0 + 1e-3 * similarity[:, rank]
    return result
