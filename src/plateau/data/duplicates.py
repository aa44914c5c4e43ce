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
# Share of the contrast by which thumbnails may differ. Recompressed and resized photographs lie below 0.02;
# the nearest two of scikit-learn's 1,797 digits, which are different scans, at 0.042.
MOST_DIFFERENCE = 0.03
FLAT = 1.5  # gray levels: a smaller step is noise, and would make the hash of an even surface random
MOST_NEIGHBORS = 200  # compared within one hash band and brightness


def find(dataset: Dataset, looks: Appearance) -> pd.DataFrame:
    """Returns pairs of duplicates, exact ones first.

    Exact duplicates form a star around the first of them, one in the training split where there is one. Near
    duplicates agree in a difference hash (64 bits, at most 10 differ) and in the pixels of their thumbnails.

    Returns:
        One row per pair: kind (exact or near), difference (mean absolute, as a share of the contrast), and
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
    hashes = difference_hash(looks.thumbs[rows])
    limit = MOST_DIFFERENCE * looks.contrast[rows]
    pairs = np.unique(np.concatenate(list(_candidates(hashes, looks.brightness[rows], limit))), axis=0)
    pairs = pairs[np.bitwise_count(hashes[pairs[:, 0]] ^ hashes[pairs[:, 1]]) <= MOST_HASH_BITS]
    chosen = rows[pairs]  # (n, 2)
    contrast = looks.contrast[chosen].max(1, initial=0.0)
    difference = _pixel_difference(looks.thumbs, chosen) / np.maximum(contrast, 1e-12)
    kept = difference <= MOST_DIFFERENCE
    return chosen[kept], difference[kept]


def _candidates(hashes: np.ndarray, brightness: np.ndarray, limit: np.ndarray) -> list[np.ndarray]:
    """Returns pairs (n, 2) that share 16 bits of the hash, and whose brightness allows so small a difference.

    Sorted by band and brightness, images are compared with those that follow: the effort stays linear even
    where thousands share a hash, such as scans of empty pages.
    """
    found = [np.empty((0, 2), np.int64)]
    for band in range(BANDS):
        keys = (hashes >> np.uint64(16 * band)) & np.uint64(0xFFFF)
        order = np.lexsort((brightness, keys))
        for step in range(1, min(MOST_NEIGHBORS, len(order) - 1) + 1):
            one, other = order[:-step], order[step:]
            tolerance = np.maximum(limit[one], limit[other]) + 1.0  # thumbnails are rounded
            is_same = keys[one] == keys[other]
            if not is_same.any():
                break
            is_close = is_same & (brightness[other] - brightness[one] <= tolerance)
            found.append(np.sort(np.stack([one[is_close], other[is_close]], axis=1), axis=1))
    return found


def _pixel_difference(thumbs: np.ndarray, pairs: np.ndarray, block: int = 4096) -> np.ndarray:
    """Returns the mean absolute difference (n,) of thumbnails, 0..255."""
    result = np.empty(len(pairs))
    for start in range(0, len(pairs), block):
        one, other = (thumbs[pairs[start : start + block, side]].astype(np.int16) for side in (0, 1))
        result[start : start + block] = np.abs(one - other).mean(axis=(1, 2, 3))
    return result


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
