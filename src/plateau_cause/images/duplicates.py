"""The same picture more than once: exact and near duplicates, leakage between splits, conflicting labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from plateau_cause.images.measure import Measurements
from plateau_cause.runtime import progress

# A pair is a near duplicate if its hashes are close and its thumbnails differ by little, also compared with
# how much they vary. The hash alone floods: within 10 bits it pairs 139,000 of the 1.6 million pairs of
# digits; with the other two rules it pairs none of them, and still finds every copy of a photograph that
# was halved, doubled or saved again at JPEG quality 50 (measured).
MOST_BITS = 10  # of 64
MOST_DIFFERENCE = 3.5  # mean absolute difference of the thumbnails, 0..255
MOST_RELATIVE = 0.1  # the same over the thumbnails' standard deviation: images of low contrast are all alike
ALWAYS_SAME = 1.0  # what compression changes in an image without contrast
MOST_PAIRS = 1_000_000  # beyond it the search ends: a film cut into frames has more pairs than memory
PAIRS_AT_ONCE = 2**22
RANK = {"train": 0, "val": 1, "test": 2}


@dataclass(frozen=True)
class Duplicates:
    """What was found.

    Attributes:
        pairs: columns first, second (rows of the manifest), kind (exact, near), bits (of 64 that differ),
            difference (mean, 0..255). Of n exact copies there are the n - 1 pairs with the first; near pairs
            are between firsts.
        exact: (N,) int64, the same number for the same pixels.
        near: (N,) int64, the same number for all that exact or near pairs connect.
        is_complete: whether the search ran to its end.
    """

    pairs: pd.DataFrame
    exact: np.ndarray
    near: np.ndarray
    is_complete: bool


def find_duplicates(sha256: pd.Series, measured: Measurements) -> Duplicates:
    """Returns exact duplicates (equal pixels) and near duplicates (recompressed, resized, hardly retouched).

    Every pair is looked at: 10,000 images take about half a second.

    Args:
        sha256: (N,) of the stored pixels, from the manifest.
        measured: of the same images.
    """
    exact, _ = pd.factorize(sha256)
    _, firsts = np.unique(
        exact, return_index=True
    )  # (n,) the first of each; codes are numbered by appearance
    copies = np.setdiff1d(np.arange(len(exact)), firsts)
    same = pd.DataFrame({"first": firsts[exact[copies]], "second": copies})
    near, is_complete = _near_pairs(firsts, measured)
    pairs = pd.concat([same.assign(kind="exact", bits=0, difference=0.0), near], ignore_index=True)
    return Duplicates(pairs, exact.astype(np.int64), _components(pairs, len(exact)), is_complete)


def _near_pairs(firsts: np.ndarray, measured: Measurements) -> tuple[pd.DataFrame, bool]:
    hashes = measured.hashes[firsts]
    thumbnails = measured.thumbnails[firsts].reshape(len(firsts), -1)  # (n, 768)
    spread = thumbnails.std(axis=1)
    coarse = _coarse(measured.thumbnails[firsts])
    found: list[pd.DataFrame] = []
    total = 0
    for first, second in _close_hashes(hashes):
        kept = _differences(coarse, first, second) <= MOST_DIFFERENCE  # never more than the fine difference
        first, second = first[kept], second[kept]
        difference = _differences(thumbnails, first, second)
        relative = MOST_RELATIVE * np.minimum(spread[first], spread[second])
        kept = difference <= np.clip(relative, ALWAYS_SAME, MOST_DIFFERENCE)
        first, second = first[kept], second[kept]
        columns = {
            "first": firsts[first],
            "second": firsts[second],
            "kind": "near",
            "bits": np.bitwise_count(hashes[first] ^ hashes[second]).astype(np.int64),
            "difference": difference[kept],
        }
        found.append(pd.DataFrame(columns))
        total += len(first)
        if total > MOST_PAIRS:
            return pd.concat(found), False
    return pd.concat(found), True


def _coarse(thumbnails: np.ndarray) -> np.ndarray:
    """Returns the means (n, 48) of blocks of 4 x 4 pixels."""
    count, size = thumbnails.shape[:2]
    blocks = thumbnails.reshape(count, size // 4, 4, size // 4, 4, 3)
    return np.asarray(blocks.mean(axis=(2, 4), dtype=np.float32).reshape(count, -1))


def _differences(values: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Returns the mean absolute difference (P,) of pairs of rows, a bounded number of pairs at once."""
    result = np.empty(len(first))
    step = max(1, PAIRS_AT_ONCE // values.shape[1])
    for start in range(0, len(first), step):
        some = slice(start, start + step)
        a, b = values[first[some]].astype(np.float32), values[second[some]].astype(np.float32)
        result[some] = np.abs(a - b).mean(axis=1)
    return result


def _close_hashes(hashes: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields rows (P,), (P,) of pairs, the first before the second, whose hashes differ in few bits."""
    step = max(1, PAIRS_AT_ONCE // max(1, len(hashes)))
    starts = range(0, len(hashes), step)
    for start in progress(starts, len(starts), "duplicates"):
        bits = np.bitwise_count(
            hashes[start : start + step, None] ^ hashes[None, start:]
        )  # (step, n - start)
        first, second = np.nonzero(bits <= MOST_BITS)
        is_later = second > first
        yield start + first[is_later], start + second[is_later]


def _components(pairs: pd.DataFrame, count: int) -> np.ndarray:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    first, second = pairs["first"].to_numpy(np.int64), pairs["second"].to_numpy(np.int64)
    graph = coo_array((np.ones(len(pairs), np.int8), (first, second)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def pair_table(manifest: pd.DataFrame, found: Duplicates) -> pd.DataFrame:
    """Returns the pairs with image_id, split and label of both, and whether their labels conflict."""
    sides = {
        f"{name}_{side}": manifest[name].to_numpy(object)[found.pairs[side].to_numpy(np.int64)]
        for side in ("first", "second")
        for name in ("image_id", "split", "label")
    }
    table = pd.DataFrame({**sides, **{name: found.pairs[name] for name in ("kind", "bits", "difference")}})
    return table.assign(is_conflict=table["label_first"] != table["label_second"])


def leakage(manifest: pd.DataFrame, found: Duplicates) -> pd.DataFrame:
    """Returns held-out images that are in an earlier split as well: of val in train, of test in train or val.

    Columns image_id, split, label, kind (exact, near), twin_id, twin_split, twin_label; one row per image.
    """
    rank = manifest["split"].map(RANK).to_numpy(np.int64)
    kinds = {"exact": found.exact, "near": found.near}
    twins = {kind: _earliest(rank, groups) for kind, groups in kinds.items()}
    is_exact = rank[twins["exact"]] < rank
    twin = np.where(is_exact, twins["exact"], twins["near"])
    rows = np.flatnonzero(rank[twin] < rank)
    own = {name: manifest[name].to_numpy(object)[rows] for name in ("image_id", "split", "label")}
    others = {name: manifest[name].to_numpy(object)[twin[rows]] for name in ("image_id", "split", "label")}
    renamed = {f"twin_{name.removeprefix('image_')}": values for name, values in others.items()}
    return pd.DataFrame({**own, "kind": np.where(is_exact[rows], "exact", "near"), **renamed})


def _earliest(rank: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Returns, per image, the row (N,) of its group's member in the earliest split."""
    order = np.argsort(rank, kind="stable")
    _, places = np.unique(groups[order], return_index=True)
    return np.asarray(order[places][np.unique(groups, return_inverse=True)[1]])


def conflicts(manifest: pd.DataFrame, found: Duplicates) -> pd.DataFrame:
    """Returns images of one picture that carry different labels.

    Columns picture (the same number for the same picture), image_id, split, label, kind: exact where equal
    pixels carry different labels, near where only near duplicates do.
    """
    columns = manifest[["image_id", "split", "label"]]
    table = columns.assign(picture=found.near, same=found.exact).reset_index(drop=True)
    is_torn = table.groupby("picture")["label"].transform("nunique") > 1
    is_exact = table.groupby("same")["label"].transform("nunique") > 1
    table["kind"] = np.where(is_exact, "exact", "near")
    kept = table[is_torn].sort_values(["picture", "image_id"], ignore_index=True)
    return kept[["picture", "image_id", "split", "label", "kind"]]
