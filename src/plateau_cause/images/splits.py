"""Train, validation and test: stratified, seeded, the same on any machine and in any order of files."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import numpy as np
import pandas as pd

from plateau_cause.errors import PlateauError
from plateau_cause.images.listing import are_ascending
from plateau_cause.images.manifest import SPLITS

FEWEST = 3  # images of a class that a subsample keeps: one for each split
ALIASES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}


def split_name(given: str, key: str) -> str:
    """Returns train, val or test for one of their usual names.

    Raises:
        PlateauError: it is none of them.
    """
    known = ALIASES.get(given.strip().lower())
    if known is None:
        near = difflib.get_close_matches(given.strip().lower(), ALIASES, n=1)
        hint = f"; did you mean {near[0]}?" if near else ";"
        raise PlateauError(f"{key}: got {given!r}{hint} allowed: {', '.join(ALIASES)}, or nothing")
    return known


def assign(images: pd.DataFrame, val: float, test: float, seed: int, key: str = "data") -> np.ndarray:
    """Returns the split (N,) str of each image.

    A split that is given stays. Images without one are training images; where no image at all is given for
    test (or val), that part is drawn from the training images, class by class, groups as a whole.

    Args:
        images: columns image_id (unique; the draw depends on the ids, not on their order), label, and split
            and group, None where there is none.
        val: fraction of the images that are divided.
        test: likewise.
        seed: of the draw.
        key: section of params.yaml, for messages.

    Raises:
        PlateauError: one class only; a class with a single image, or without a training image; a group whose
            images are given to different splits; a split that stays empty.
    """
    order = sorted_rows(images["image_id"])
    table = images if (np.diff(order) == 1).all() else images.iloc[order].reset_index(drop=True)
    _check_classes(table, key)
    if table["split"].isna().all():
        names = _draw(table, {"test": test, "val": val}, np.random.default_rng(seed))
    else:
        names = _given(table, key)
        drawn = {name: part for name, part in (("test", test), ("val", val)) if not (names == name).any()}
        if drawn:
            names = _drawn(table, names, drawn, np.random.default_rng(seed))
    _check_splits(names, table, key)
    if (np.diff(order) == 1).all():
        return names
    result = np.empty(len(names), object)
    result[order] = names
    return result


def given(images: pd.DataFrame) -> np.ndarray:
    """Returns the given splits (N,) str, "train" where there is none."""
    codes, names = pd.factorize(images["split"])  # -1: none
    return np.array([*names, "train"], object)[codes]


def sorted_rows(ids: pd.Series) -> np.ndarray:
    """Returns the rows (N,) in the order of their names, which is the same on every machine."""
    if are_ascending(ids):
        return np.arange(len(ids))
    texts = ids.tolist()
    return np.array(sorted(range(len(texts)), key=texts.__getitem__), np.int64)


def _check_classes(table: pd.DataFrame, key: str) -> None:
    counts = table["label"].value_counts().sort_index()
    if len(counts) < 2:
        raise PlateauError(
            f"{key}: all {len(table)} images are of one class, {counts.index[0]!r}; classification needs two"
        )
    single = counts.index[counts < 2]
    if len(single) and table["split"].isna().all():
        raise PlateauError(
            f"{key}: {_have(list(single))} a single image; a class needs at least 2: to train and to test"
        )


def _have(classes: list[str]) -> str:
    """Returns the subject of a sentence: 'a' has, 'a' and 1 more class have, 'a' and 3 more classes have."""
    more = len(classes) - 1
    noun = "class" if more == 1 else "classes"
    return f"{classes[0]!r} and {more} more {noun} have" if more else f"{classes[0]!r} has"


def _given(table: pd.DataFrame, key: str) -> np.ndarray:
    """Returns the given splits (N,), "train" where there is none; one given image takes its group along."""
    split = table["split"]
    if table["group"].isna().all():
        return given(table)
    grouped = table[table["group"].notna() & split.notna()].groupby("group", sort=True)["split"]
    torn = grouped.nunique()
    if (torn > 1).any():
        group = torn.index[torn > 1][0]
        both = " and ".join(sorted(set(grouped.get_group(group))))
        raise PlateauError(
            f"{key}.columns.group: group {group!r} has images in {both}; a group must not cross splits"
        )
    names = split.where(split.notna(), table["group"].map(grouped.first()))
    return np.array(names.where(names.notna(), "train"), object)


def _drawn(
    table: pd.DataFrame, names: np.ndarray, parts: dict[str, float], rng: np.random.Generator
) -> np.ndarray:
    """Returns the splits (N,) with the parts drawn from the training images."""
    pool = names == "train"
    if pool.all():
        return _draw(table, parts, rng)
    names[pool] = _draw(table[pool], parts, rng)
    return names


def _draw(pool: pd.DataFrame, parts: dict[str, float], rng: np.random.Generator) -> np.ndarray:
    """Returns the split (n,) of each training image after the parts have been drawn from them."""
    targets = pd.factorize(pool["label"], sort=True)[0]
    if pool["group"].isna().all():
        return _draw_images(targets.astype(np.int32), parts, rng)
    groups, names = pd.factorize(pool["group"], sort=True)  # -1: an image on its own
    alone = groups < 0
    groups[alone] = len(names) + np.arange(alone.sum())
    return _draw_groups(targets, groups, parts, rng)


def _draw_images(targets: np.ndarray, parts: dict[str, float], rng: np.random.Generator) -> np.ndarray:
    """Draws from each class its share, at least one image per part where the class has enough of them."""
    names = ["train", *parts]
    result = np.zeros(len(targets), np.int8)
    shuffled = rng.permutation(len(targets)).astype(np.int32)  # half the memory of what numpy counts in
    by_class = shuffled[np.argsort(targets[shuffled], kind="stable")]
    for rows in np.split(by_class, np.cumsum(np.bincount(targets))[:-1]):
        left = len(rows) - 1  # one image stays for training
        for number, part in enumerate(parts.values(), 1):
            taken = min(left, max(1, int(part * len(rows) + 0.5)))
            result[rows[left + 1 - taken : left + 1]] = number
            left -= taken
    return np.array(names, object)[result]


def _draw_groups(
    targets: np.ndarray, groups: np.ndarray, parts: dict[str, float], rng: np.random.Generator
) -> np.ndarray:
    """Deals whole groups, the largest first, each to the split where it leaves the smallest misfit.

    The misfit is chi-square like: over splits and classes, (images - wanted)² / wanted.
    """
    shares = {"train": 1 - sum(parts.values()), **parts}
    wanted = np.outer(list(shares.values()), np.bincount(targets))  # (splits, classes)
    have = np.zeros_like(wanted)
    members = np.split(np.argsort(groups, kind="stable"), np.cumsum(np.bincount(groups))[:-1])
    shuffled = rng.permutation(len(members))
    dealt = np.empty(len(members), np.int64)
    for group in sorted(shuffled, key=lambda g: -len(members[g])):
        classes, counts = np.unique(targets[members[group]], return_counts=True)
        misfit = have[:, classes] - wanted[:, classes]
        growth = (counts * (2 * misfit + counts) / wanted[:, classes]).sum(axis=1)  # (splits,)
        dealt[group] = np.argmin(growth)
        have[dealt[group], classes] += counts
    _keep_for_training(targets, members, dealt)
    return np.asarray(np.array(list(shares), object)[dealt][groups])


def _keep_for_training(targets: np.ndarray, members: Sequence[np.ndarray], dealt: np.ndarray) -> None:
    """Moves the smallest group of a class that has no training image into training, in place."""
    classes = [np.unique(targets[rows]) for rows in members]
    trained = {int(c) for group in np.flatnonzero(dealt == 0) for c in classes[group]}
    for target in range(int(targets.max()) + 1):
        if target not in trained:
            holders = [group for group in range(len(members)) if target in classes[group]]
            smallest = min(holders, key=lambda group: len(members[group]))
            dealt[smallest] = 0
            trained.update(classes[smallest].tolist())


def _check_splits(names: np.ndarray, images: pd.DataFrame, key: str) -> None:
    labels = images["label"]
    for name in SPLITS:
        if not (names == name).any():
            left = f"{key}.split: no image is left for {name}, of {len(images)} images in all"
            raise PlateauError(f"{left}; {_advice(images, key)}")
    untrained = sorted(set(labels) - set(labels[names == "train"]))
    if untrained:
        raise PlateauError(f"{key}: {_have(untrained)} no training image; every class needs one")


def _advice(images: pd.DataFrame, key: str) -> str:
    """Returns what would leave images for every split: that depends on what was given."""
    given, groups = images["split"].dropna().unique(), images["group"].dropna().nunique()
    if images["split"].notna().all():
        return f"all are given for {' and '.join(sorted(map(str, given)))}: give some for the others, or none"
    if 0 < groups < FEWEST:
        count = f"{groups} group{'s' if groups > 1 else ''}"
        return f"{key}.columns.group has {count}, whose images stay together; allowed: {FEWEST} and more"
    return f"add images or groups, or change {key}.split"
