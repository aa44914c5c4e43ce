"""Train, validation and test: stratified, seeded, the same on any machine and in any order of files."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from plateau.errors import PlateauError

SPLITS = ("train", "val", "test")
ALIASES = {
    **{name: "train" for name in ("train", "training", "trn")},
    **{name: "val" for name in ("val", "valid", "validation", "dev")},
    **{name: "test" for name in ("test", "testing", "eval", "evaluation", "holdout")},
}


def assign(
    ids: Sequence[str],
    labels: Sequence[str],
    given: Sequence[str | None],
    groups: Sequence[str | None],
    val: float,
    test: float,
    seed: int,
) -> np.ndarray:
    """Returns the split (N,) of each image; a split that is given stays.

    Where no image is given as test (or val), that part is drawn from the training images. A group never crosses
    splits.

    Args:
        ids: unique names; the draw depends on them, not on their order.
        labels: class names.
        given: split names as in the source, or None.
        groups: images of one group stay together; None: an image on its own.
        val, test: fractions of all images.
        seed: of the draw.

    Raises:
        PlateauError: an unknown split name, or a split that stays empty.
    """
    splits = np.array([_named(name) for name in given], object)
    wanted = {"test": test, "val": val}
    missing = [name for name in ("test", "val") if not (splits == name).any()]
    pool = np.flatnonzero((splits == None) | (splits == "train"))  # noqa: E711 - elementwise
    fractions = {name: wanted[name] * len(splits) / max(1, len(pool)) for name in missing}
    if not (splits == None).any() and (splits == "train").any():  # noqa: E711
        fractions = {name: wanted[name] for name in missing}
    splits[pool] = "train"
    if missing:
        chosen = _draw([ids[i] for i in pool], [labels[i] for i in pool], [groups[i] for i in pool], fractions, seed)
        splits[pool] = chosen
    _check(splits)
    return splits.astype(str)


def subsample(ids: Sequence[str], labels: Sequence[str], most: int, seed: int) -> np.ndarray:
    """Returns the sorted rows of a stratified subsample of at most this many images, at least one of each class."""
    order = _shuffled(ids, seed)
    share = most / max(1, len(ids))
    kept: list[int] = []
    for label in sorted(set(labels)):
        members = [row for row in order if labels[row] == label]
        kept += members[: max(1, round(share * len(members)))]
    return np.sort(np.array(kept[: max(most, len(set(labels)))], np.int64))


def _named(name: str | None) -> str | None:
    if name is None:
        return None
    known = ALIASES.get(str(name).strip().lower())
    if known is None:
        raise PlateauError(f"data.columns.split: {name!r} is no split; allowed: train, val, test")
    return known


def _draw(
    ids: Sequence[str], labels: Sequence[str], groups: Sequence[str | None], fractions: dict[str, float], seed: int
) -> np.ndarray:
    """Deals whole groups, class by class, to the split that lacks most of that class."""
    units: dict[str, list[int]] = {}
    for row in _shuffled(ids, seed):
        group = groups[row]
        units.setdefault(f"group {group}" if group is not None else f"image {ids[row]}", []).append(row)
    result = np.full(len(ids), "train", object)
    sizes = {label: list(labels).count(label) for label in sorted(set(labels))}
    quota = {name: {label: fraction * size for label, size in sizes.items()} for name, fraction in fractions.items()}
    for name, rest in quota.items():
        for members in units.values():
            if any(result[row] != "train" for row in members):
                continue
            lacking = sum(rest[labels[row]] for row in members) / len(members)
            if lacking >= 0.5 * len(members) and _leaves_train(result, labels, members):
                result[members] = name
                for row in members:
                    rest[labels[row]] -= 1
    return result


def _leaves_train(result: np.ndarray, labels: Sequence[str], members: list[int]) -> bool:
    """Returns whether every class of these rows keeps a training image without them."""
    inside = set(members)
    for label in {labels[row] for row in members}:
        if not any(result[row] == "train" and labels[row] == label and row not in inside for row in range(len(labels))):
            return False
    return True


def _shuffled(ids: Sequence[str], seed: int) -> list[int]:
    by_name = sorted(range(len(ids)), key=lambda row: ids[row])
    return [by_name[i] for i in np.random.default_rng(seed).permutation(len(by_name))]


def _check(splits: np.ndarray) -> None:
    for name in SPLITS:
        if not (splits == name).any():
            raise PlateauError(
                f"data.split: no image is left for {name}; there are {len(splits)} images in all: add images, "
                "or change data.split"
            )
