"""Train, validation and test: stratified, seeded, the same on any machine and in any order of files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from plateau.errors import PlateauError

SPLITS = ("train", "val", "test")
ALIASES = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation", "holdout"), "test"),
}
FEWEST_IMAGES = 3  # one per split
Names = Sequence[str | None]


def assign(
    ids: Sequence[str],
    labels: Sequence[str],
    given: Names,
    groups: Names,
    fractions: Mapping[str, float],
    seed: int,
) -> np.ndarray:
    """Returns the split (N,) of each image; a split that is given stays.

    Where no image is given as test (or val), that part is drawn from the images for training and those
    without a split, class by class. A group is drawn as a whole; every class keeps an image for training.

    Args:
        ids: unique names; the draw depends on them, not on their order.
        labels: class names.
        given: split names as in the source, or None.
        groups: images of one group stay together; None: an image on its own.
        fractions: of the images drawn from, for "val" and "test".
        seed: of the draw.

    Raises:
        PlateauError: too few images, an unknown split name, or a split that stays empty.
    """
    if len(ids) < FEWEST_IMAGES:
        raise PlateauError(f"data: got {len(ids)} images; at least {FEWEST_IMAGES} are needed, one per split")
    known = [_named(name) for name in given]
    pool = [row for row, name in enumerate(known) if name in (None, "train")]
    missing = {name: fractions[name] for name in ("test", "val") if name not in known}
    splits = np.array([name or "train" for name in known])
    if missing and pool:
        names, classes, units = ([column[row] for row in pool] for column in (ids, labels, groups))
        splits[pool] = _draw([str(n) for n in names], [str(c) for c in classes], units, missing, seed)
    _check(splits, has_given=any(known))
    return splits


def subsample(ids: Sequence[str], strata: Sequence[str], most: int, seed: int) -> np.ndarray:
    """Returns the sorted rows (most,) of a subsample that keeps the proportions of the strata.

    Every stratum keeps at least one row, as long as there are no more strata than rows.
    """
    _, codes, sizes = np.unique(np.array(strata), return_inverse=True, return_counts=True)
    least = np.minimum(sizes, 1) if len(sizes) <= most else np.zeros_like(sizes)
    quota = _apportion(sizes, sizes, most, least, np.random.default_rng(seed).permutation(len(sizes)))
    order = np.array(_shuffled(ids, seed))
    order = order[np.argsort(codes[order], kind="stable")]  # by stratum, shuffled within
    starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.sort(order[np.arange(len(order)) - starts < np.repeat(quota, sizes)])


def _named(name: str | None) -> str | None:
    if name is None:
        return None
    known = ALIASES.get(str(name).strip().lower())
    if known is None:
        raise PlateauError(f"data.columns.split: {name!r} is no split; allowed: {', '.join(SPLITS)}")
    return known


def _draw(
    ids: Sequence[str], labels: Sequence[str], groups: Names, fractions: Mapping[str, float], seed: int
) -> np.ndarray:
    """Returns the split (N,) of each image: whole groups are dealt where most of their classes is lacking."""
    classes, codes = np.unique(np.array(labels), return_inverse=True)
    sizes = np.bincount(codes, minlength=len(classes))
    ties = np.random.default_rng([seed, 1]).permutation(len(classes))
    units = [np.array(rows) for rows in _units(ids, groups, seed)]
    result = np.full(len(ids), "train", "<U5")
    in_train = sizes.copy()
    for name, fraction in fractions.items():
        wanted = max(1, round(fraction * len(ids)))
        quota = _apportion(sizes, in_train - 1, wanted, np.zeros_like(sizes), ties).astype(float)
        for rows in _taken(units, codes, quota, in_train):
            result[rows] = name
        units = [rows for rows in units if result[rows[0]] == "train"]
        ties = np.roll(ties, 1)
    return result


def _units(ids: Sequence[str], groups: Names, seed: int) -> list[list[int]]:
    """Returns rows that must stay together, in random order."""
    units: dict[tuple[bool, str], list[int]] = {}
    for row in _shuffled(ids, seed):
        group = groups[row]
        key = (False, ids[row]) if group is None else (True, group)
        units.setdefault(key, []).append(row)
    return list(units.values())


def _taken(
    units: list[np.ndarray], codes: np.ndarray, quota: np.ndarray, in_train: np.ndarray
) -> list[np.ndarray]:
    """Returns the units that fill the quota (C,) of each class; counts `in_train` (C,) down."""
    taken = []
    for rows in units:
        counts = Counter(codes[rows].tolist())
        lacking = sum(quota[code] * count for code, count in counts.items()) / len(rows)
        if lacking >= 0.5 * len(rows) and _leaves_train(counts, in_train):
            taken.append(rows)
            for code, count in counts.items():
                quota[code] -= count
                in_train[code] -= count
    if not taken:  # all groups are larger than what is wanted: the smallest is nearest
        spare = [rows for rows in units if _leaves_train(Counter(codes[rows].tolist()), in_train)]
        taken = sorted(spare, key=len)[:1]
        for rows in taken:
            in_train -= np.bincount(codes[rows], minlength=len(in_train))
    return taken


def _leaves_train(counts: Mapping[int, int], in_train: np.ndarray) -> bool:
    """Returns whether every class keeps a training image without these."""
    return all(in_train[code] > count for code, count in counts.items())


def _apportion(
    sizes: np.ndarray, most: np.ndarray, total: int, least: np.ndarray, ties: np.ndarray
) -> np.ndarray:
    """Returns whole numbers (C,) in proportion to `sizes` by largest remainder, between least and most."""
    total = min(total, int(most.sum()))
    exact = total * sizes / sizes.sum()
    quota: np.ndarray = np.floor(exact).astype(np.int64).clip(least, most)
    while (missing := total - int(quota.sum())) != 0:
        step = 1 if missing > 0 else -1
        free = quota < most if step > 0 else quota > least
        order = np.lexsort((ties, -step * (exact - quota)))
        quota[order[free[order]][: abs(missing)]] += step
    return quota


def _shuffled(ids: Sequence[str], seed: int) -> list[int]:
    by_name = sorted(range(len(ids)), key=lambda row: ids[row])
    return [by_name[i] for i in np.random.default_rng(seed).permutation(len(by_name))]


def _check(splits: np.ndarray, has_given: bool) -> None:
    remedy = "mark some in the source" if has_given else "add images, or divide large groups"
    for name in SPLITS:
        if not (splits == name).any():
            raise PlateauError(
                f"data.split: no image is left for {name}, because every class must keep one for training; "
                f"there are {len(splits)} images in all: {remedy}, or change data.split"
            )
