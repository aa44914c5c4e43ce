"""The same picture more than once: exact and near duplicates, leakage between splits, conflicting labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from plateau_cause.images.blocks import scratch, slices
from plateau_cause.images.hashes import PASSES, close, is_all
from plateau_cause.images.manifest import take, values_at
from plateau_cause.images.measure import COLUMN_BYTES, Measurements

# A pair is a near duplicate if its hashes are close and its thumbnails differ by little, also compared with
# how much they vary. The hash alone floods: within 10 bits it pairs 139,000 of the 1.6 million pairs of
# digits; with the other two rules it pairs none of them, and still finds every copy of a photograph that
# was halved, doubled or saved again at JPEG quality 50 (measured).
MOST_BITS = 10  # of 64
MOST_DIFFERENCE = 3.5  # mean absolute difference of the thumbnails, 0..255
MOST_RELATIVE = 0.1  # the same over the thumbnails' standard deviation: images of low contrast are all alike
ALWAYS_SAME = 1.0  # what compression changes in an image without contrast
MOST_PAIRS = 1_000_000  # beyond it the search ends: a film cut into frames has more pairs than memory
PAIRS_AT_ONCE = 2**20  # numbers that are compared
AT_ONCE = 2**12  # images whose text or thumbnails are looked at
COARSE = 48  # values of a thumbnail of 4 x 4 pixels
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
        is_complete: whether every pair was looked at.
    """

    pairs: pd.DataFrame
    exact: np.ndarray
    near: np.ndarray
    is_complete: bool


def find_duplicates(sha256: pd.Series, measured: Measurements) -> Duplicates:
    """Returns exact duplicates (equal pixels) and near duplicates (recompressed, resized, hardly retouched).

    Of up to `hashes.MOST_COMPARED` different images every pair is looked at; of more, those that are likely
    to be near (`images.hashes`).

    Args:
        sha256: (N,) of the stored pixels, from the manifest.
        measured: of the same images.
    """
    exact, _ = pd.factorize(_numbers(sha256))
    # Numbered as they appear
    is_first = np.concatenate([[True], exact[1:] > np.maximum.accumulate(exact)[:-1]])
    firsts, copies = np.flatnonzero(is_first), np.flatnonzero(~is_first)  # (n,), (N - n,)
    same = pd.DataFrame({"first": firsts[exact[copies]], "second": copies})
    near, is_complete = _near_pairs(firsts, measured)
    pairs = pd.concat([same.assign(kind="exact", bits=0, difference=0.0), near], ignore_index=True)
    return Duplicates(pairs, exact.astype(np.int64), _components(pairs, len(exact)), is_complete)


def _numbers(sha256: pd.Series) -> np.ndarray:
    """Returns a number (N,) uint64 per digest; a few at a time, for Python's own strings take much memory."""
    found = np.empty(len(sha256), np.uint64)
    for some in slices(len(sha256), AT_ONCE):
        found[some] = pd.util.hash_array(sha256.iloc[some].to_numpy(object))
    return found


def _near_pairs(firsts: np.ndarray, measured: Measurements) -> tuple[pd.DataFrame, bool]:
    hashes, count = measured.hashes[firsts], len(firsts)
    levels, spread, coarse = _summaries(firsts, measured)
    found: list[pd.DataFrame] = []
    total = 0
    for first, second in close(hashes, levels, MOST_BITS, MOST_DIFFERENCE, measured.folder):
        kept = _differences(coarse, first, second) <= MOST_DIFFERENCE  # never more than the fine difference
        first, second = first[kept], second[kept]
        difference = _differences(measured.thumbnails, firsts[first], firsts[second])
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
        if total > MOST_PAIRS * (1 if is_all(count) else PASSES):
            return _once(found, count), False
    return _once(found, count), is_all(count)


def _once(found: list[pd.DataFrame], count: int) -> pd.DataFrame:
    """Returns all pairs, each once and in their order."""
    pairs = pd.concat(found)
    if is_all(count):
        return pairs
    pairs = pairs.drop_duplicates(["first", "second"]).sort_values(["first", "second"], ignore_index=True)
    return pairs.iloc[:MOST_PAIRS]


def _summaries(firsts: np.ndarray, measured: Measurements) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns of these images' thumbnails mean (n,), standard deviation (n,), and coarse version (n, 48)."""
    shape = len(firsts), COARSE
    levels = scratch(shape[:1], np.float64, measured.folder, COLUMN_BYTES)
    spread = scratch(shape[:1], np.float64, measured.folder, COLUMN_BYTES)
    coarse = scratch(shape, np.float32, measured.folder, COLUMN_BYTES)
    for some in slices(len(firsts), AT_ONCE):
        thumbnails = measured.thumbnails[firsts[some]]
        flat = thumbnails.reshape(len(thumbnails), -1)  # (n, 768)
        levels[some], spread[some], coarse[some] = flat.mean(axis=1), flat.std(axis=1), _coarse(thumbnails)
    return levels, spread, coarse


def _coarse(thumbnails: np.ndarray) -> np.ndarray:
    """Returns the means (n, 48) of blocks of 4 x 4 pixels."""
    count, size = thumbnails.shape[:2]
    blocks = thumbnails.reshape(count, size // 4, 4, size // 4, 4, 3)
    return np.asarray(blocks.mean(axis=(2, 4), dtype=np.float32).reshape(count, -1))


def _differences(values: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Returns the mean absolute difference (P,) of pairs of rows, a bounded number of pairs at once."""
    result, values = np.empty(len(first)), values.reshape(len(values), -1)
    step = max(1, PAIRS_AT_ONCE // values.shape[1])
    for start in range(0, len(first), step):
        some = slice(start, start + step)
        a, b = values[first[some]].astype(np.float32), values[second[some]].astype(np.float32)
        result[some] = np.abs(a - b).mean(axis=1)
    return result


def _components(pairs: pd.DataFrame, count: int) -> np.ndarray:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    first, second = pairs["first"].to_numpy(np.int64), pairs["second"].to_numpy(np.int64)
    graph = coo_array((np.ones(len(pairs), np.int8), (first, second)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def pair_table(manifest: pd.DataFrame, found: Duplicates) -> pd.DataFrame:
    """Returns the pairs with image_id, split and label of both, and whether their labels conflict."""
    sides = {
        f"{name}_{side}": values_at(manifest[name], found.pairs[side].to_numpy(np.int64))
        for side in ("first", "second")
        for name in ("image_id", "split", "label")
    }
    table = pd.DataFrame({**sides, **{name: found.pairs[name] for name in ("kind", "bits", "difference")}})
    return table.assign(is_conflict=table["label_first"] != table["label_second"])


def leakage(manifest: pd.DataFrame, found: Duplicates) -> pd.DataFrame:
    """Returns held-out images that are in an earlier split as well: of val in train, of test in train or val.

    Columns image_id, split, label, kind (exact, near), twin_id, twin_split, twin_label; one row per image.
    """
    several = _several(found)
    rank = np.zeros(len(manifest), np.int8)
    for split, number in RANK.items():
        rank[(manifest["split"] == split).to_numpy(bool)] = number
    rank = rank[several]
    kinds = {"exact": found.exact[several], "near": found.near[several]}
    twins = {kind: _earliest(rank, groups) for kind, groups in kinds.items()}
    is_exact = rank[twins["exact"]] < rank
    twin = np.where(is_exact, twins["exact"], twins["near"])
    late = np.flatnonzero(rank[twin] < rank)
    rows, twins_of = several[late], several[twin[late]]
    names = ("image_id", "split", "label")
    own = {name: values_at(manifest[name], rows) for name in names}
    others = {name: values_at(manifest[name], twins_of) for name in names}
    renamed = {f"twin_{name.removeprefix('image_')}": values for name, values in others.items()}
    return pd.DataFrame({**own, "kind": np.where(is_exact[late], "exact", "near"), **renamed})


def _several(found: Duplicates) -> np.ndarray:
    """Returns the rows (n,) of pictures that are there more than once."""
    return np.flatnonzero(np.bincount(found.near)[found.near] > 1)


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
    rows = _several(found)
    columns = take(manifest[["image_id", "split", "label"]], rows)
    table = columns.assign(picture=found.near[rows], same=found.exact[rows]).reset_index(drop=True)
    is_torn = table.groupby("picture")["label"].transform("nunique") > 1
    is_exact = table.groupby("same")["label"].transform("nunique") > 1
    table["kind"] = np.where(is_exact, "exact", "near")
    kept = table[is_torn].sort_values(["picture", "image_id"], ignore_index=True)
    return kept[["picture", "image_id", "split", "label", "kind"]]
