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
    _, codes = np.unique(np.array(labels), return_inverse=True)
    in_train = np.bincount(codes)
    quotas = _quotas(in_train, fractions, seed)
    result = np.full(len(ids), "train", "<U5")
    units = _units(ids, groups, seed)
    for rows in units:
        counts = Counter(codes[rows].tolist())
        name = _most_lacking(counts, quotas)
        if name is not None and _leaves_train(counts, in_train):
            _move(result, rows, name, counts, in_train)
            for code, count in counts.items():
                quotas[name][code] -= count
    for name in fractions:
        if name not in result:
            _fill(name, units, codes, result, in_train)
    return result


def _fill(
    name: str, units: list[list[int]], codes: np.ndarray, result: np.ndarray, in_train: np.ndarray
) -> None:
    """Moves the smallest unit into a split for which all are too large; none where training needs all."""
    for rows in sorted(units, key=len):
        counts = Counter(codes[rows].tolist())
        if result[rows[0]] == "train" and _leaves_train(counts, in_train):
            _move(result, rows, name, counts, in_train)
            return


def _quotas(sizes: np.ndarray, fractions: Mapping[str, float], seed: int) -> dict[str, np.ndarray]:
    """Returns how many images (C,) of each class every split wants; training keeps at least one."""
    ties = np.random.default_rng([seed, 1]).permutation(len(sizes))
    quotas = {}
    free = sizes - 1
    for name, fraction in fractions.items():
        wanted = max(1, round(fraction * int(sizes.sum())))
        quotas[name] = _apportion(sizes, free, wanted, np.zeros_like(sizes), ties)
        free = free - quotas[name]
    return quotas


def _most_lacking(counts: Mapping[int, int], quotas: Mapping[str, np.ndarray]) -> str | None:
    """Returns the split that lacks most of a unit; None where that is less than half of it."""
    size = sum(counts.values())
    lacking = {
        name: sum(quota[code] * count for code, count in counts.items()) / size
        for name, quota in quotas.items()
    }
    name = max(lacking, key=lambda name: lacking[name])
    return name if lacking[name] >= 0.5 * size else None


def _move(
    result: np.ndarray, rows: list[int], name: str, counts: Mapping[int, int], in_train: np.ndarray
) -> None:
    result[rows] = name
    for code, count in counts.items():
        in_train[code] -= count


def _units(ids: Sequence[str], groups: Names, seed: int) -> list[list[int]]:
    """Returns rows that must stay together, in random order."""
    units: dict[tuple[bool, str], list[int]] = {}
    for row in _shuffled(ids, seed):
        group = groups[row]
        key = (False, ids[row]) if group is None else (True, group)
        units.setdefault(key, []).append(row)
    return list(units.values())


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
