"""Images that are there twice: pixel for pixel, or scaled, recompressed and hardly different."""

from __future__ import annotations

import numpy as np
import pandas as pd

from plateau.data.appearance import LUMA, THUMB_PX, Appearance
from plateau.data.splits import SPLITS
from plateau.data.store import Dataset

HASH_COLUMNS = 9
BANDS = 4  # of 16 bits
MOST_HASH_BITS = 10
# Thumbnails are compared less their mean, in standard deviations. How far copies differ depends on their
# compression and size, how far different images differ on the data: see `_limit`.
LEAST_LIMIT, MOST_LIMIT = 0.035, 0.1
LIMIT_SHARE = 0.12
SAMPLE, NEIGHBOR = 500, 10
FLAT = 1.5  # gray levels: a smaller step is noise, and would make the hash of an even surface random
BRIGHTNESS = 16.0  # gray levels that copies may differ by
MOST_NEIGHBORS = 200  # compared within one hash band and brightness


def find(dataset: Dataset, looks: Appearance) -> pd.DataFrame:
    """Returns pairs of duplicates, exact ones first.

    Exact duplicates form a star around the first of them, one in the training split where there is one. Near
    duplicates agree in a difference hash (64 bits, at most 10 differ) and in the pixels of their thumbnails.

    Returns:
        One row per pair: kind (exact or near), difference (mean absolute, in standard deviations), and
        for either image row_a, row_b (in the manifest), image_id_*, split_*, label_*.
    """
    centers, exact = _exact(dataset.manifest)
    near, difference = _near(looks, centers)
    kinds = np.repeat(["exact", "near"], [len(exact), len(near)])
    pairs = np.concatenate([exact, near])
    pairs = _training_first(pairs, _ranks(dataset.manifest))
    values = np.concatenate([np.zeros(len(exact)), difference])
    return _table(dataset.manifest, pairs, kinds, values)


def leakage(pairs: pd.DataFrame) -> pd.DataFrame:
    """Returns the pairs whose images lie in different splits."""
    return pairs[pairs["split_a"] != pairs["split_b"]].reset_index(drop=True)


def conflicts(pairs: pd.DataFrame) -> pd.DataFrame:
    """Returns the pairs whose labels differ."""
    return pairs[pairs["label_a"] != pairs["label_b"]].reset_index(drop=True)


def crossing_groups(manifest: pd.DataFrame) -> pd.DataFrame:
    """Returns the groups (group, splits) that lie in more than one split; only splits that were given do."""
    splits = manifest.dropna(subset=["group"]).groupby("group", sort=True)["split"].agg(["nunique", "unique"])
    crossing = splits[splits["nunique"] > 1]
    names = [", ".join(name for name in SPLITS if name in found) for found in crossing["unique"]]
    return pd.DataFrame({"group": crossing.index.astype(str), "splits": names})


def difference_hash(thumbs: np.ndarray) -> np.ndarray:
    """Returns a 64-bit hash (N,) uint64 of thumbnails (N, 16, 16, 3): where brightness rises to the right.

    Krawetz, "Kind of like that" (2013); here a rise must exceed the noise of an even surface.
    """
    edges = np.linspace(0, THUMB_PX, HASH_COLUMNS + 1)
    columns = np.arange(THUMB_PX)[:, None]
    overlap = np.minimum(edges[1:], columns + 1) - np.maximum(edges[:-1], columns)
    weights = overlap.clip(0) / np.diff(edges)  # (16, 9): area average
    rows = (thumbs @ LUMA).reshape(len(thumbs), 8, 2, THUMB_PX).mean(2)  # (N, 8, 16)
    rises = np.diff(rows @ weights, axis=2) > FLAT  # (N, 8, 8)
    return np.packbits(rises.reshape(-1, 64), axis=1).view(np.uint64).ravel()


def _ranks(manifest: pd.DataFrame) -> np.ndarray:
    return manifest["split"].map({name: rank for rank, name in enumerate(SPLITS)}).to_numpy(np.int64)


def _exact(manifest: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Returns one row for each different image (M,), and pairs (n, 2) of it and each of its copies."""
    order = np.argsort(_ranks(manifest), kind="stable")
    codes = pd.factorize(manifest["sha256"].to_numpy()[order])[0]
    _, first = np.unique(codes, return_index=True)
    center = order[first[codes]]
    copies = center != order
    return np.sort(order[first]), np.stack([center[copies], order[copies]], axis=1)


def _near(looks: Appearance, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns pairs (n, 2) of these rows that nearly agree, and how far they differ (n,)."""
    thumbs = looks.thumbs[rows]
    hashes = difference_hash(thumbs)
    pairs = np.unique(np.concatenate(_candidates(hashes, looks.brightness[rows])), axis=0)
    pairs = pairs[np.bitwise_count(hashes[pairs[:, 0]] ^ hashes[pairs[:, 1]]) <= MOST_HASH_BITS]
    difference = _difference(thumbs, pairs)
    kept = difference <= _limit(thumbs)
    return rows[pairs[kept]], difference[kept]


def _candidates(hashes: np.ndarray, brightness: np.ndarray) -> list[np.ndarray]:
    """Returns pairs (n, 2) that share 16 bits of the hash and nearly the brightness.

    Sorted by band and brightness, images are compared with those that follow: the effort stays linear even
    where thousands share a hash, such as scans of empty pages.
    """
    found = [np.empty((0, 2), np.int64)]
    for band in range(BANDS):
        keys = (hashes >> np.uint64(16 * band)) & np.uint64(0xFFFF)
        order = np.lexsort((brightness, keys))
        for step in range(1, min(MOST_NEIGHBORS, len(order) - 1) + 1):
            one, other = order[:-step], order[step:]
            is_same = keys[one] == keys[other]
            if not is_same.any():
                break
            is_close = is_same & (brightness[other] - brightness[one] <= BRIGHTNESS)
            found.append(np.sort(np.stack([one[is_close], other[is_close]], axis=1), axis=1))
    return found


def _limit(thumbs: np.ndarray) -> float:
    """Returns how far near duplicates may differ: far less than an image and its tenth neighbour usually do.

    Photographs of 96 px recompressed or resized differ by 0.005 to 0.1. Of scikit-learn's 1,797 digits,
    8 x 8 px and all different scans, the nearest two differ by 0.059; their limit comes out as 0.043.
    """
    from scipy.spatial.distance import cdist

    rows = np.unique(np.linspace(0, len(thumbs) - 1, SAMPLE).astype(np.int64))
    if len(rows) < 2:
        return LEAST_LIMIT
    sample = _standardized(thumbs[rows]).reshape(len(rows), -1)
    distances = np.sort(cdist(sample, sample, "cityblock") / sample.shape[1], axis=1)
    usual = np.median(distances[:, min(NEIGHBOR, len(rows) - 1)])
    return float(np.clip(LIMIT_SHARE * usual, LEAST_LIMIT, MOST_LIMIT))


def _difference(thumbs: np.ndarray, pairs: np.ndarray, block: int = 4096) -> np.ndarray:
    """Returns the mean absolute difference (n,) of thumbnails in standard deviations."""
    result = np.empty(len(pairs))
    for start in range(0, len(pairs), block):
        part = pairs[start : start + block]
        one, other = (_standardized(thumbs[part[:, side]]) for side in (0, 1))
        result[start : start + block] = np.abs(one - other).mean(axis=(1, 2, 3))
    return result


def _standardized(thumbs: np.ndarray) -> np.ndarray:
    """Returns thumbnails (n, 16, 16, 3) of mean 0 and, where they are not even, standard deviation 1."""
    values: np.ndarray = thumbs.astype(np.float32)
    values -= values.mean(axis=(1, 2), keepdims=True)
    values /= np.maximum(values.std(axis=(1, 2, 3), keepdims=True), 1.0)
    return values


def _training_first(pairs: np.ndarray, ranks: np.ndarray) -> np.ndarray:
    """Returns the pairs with the image of the earlier split in front."""
    is_later = ranks[pairs[:, 0]] > ranks[pairs[:, 1]]
    return np.where(is_later[:, None], pairs[:, ::-1], pairs)


def _table(manifest: pd.DataFrame, pairs: np.ndarray, kinds: np.ndarray, values: np.ndarray) -> pd.DataFrame:
    columns: dict[str, object] = {"kind": kinds.astype(object), "difference": values}
    for side, name in enumerate("ab"):
        columns[f"row_{name}"] = pairs[:, side]
        for key in ("image_id", "split", "label"):
            columns[f"{key}_{name}"] = manifest[key].to_numpy()[pairs[:, side]]
    return pd.DataFrame(columns)
