"""How the labels of a data set go with the folders that its images lie in."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from plateau_cause.capture.child.describe.samples import Sample
from plateau_cause.capture.child.places import frame_here, is_users

LEVELS = 3  # folders above an image that may name its class
AGREE = 0.7  # of the images of a folder, on average, that have its label
OFF = 0.5  # of the pairs of images in one folder at most that have one label, where labels are off
SOME_PAIRS, SOME_CLASSES = 12, 3  # fewer may be off by chance


def by_folder(seen: list[Sample]) -> dict[str, int] | None:
    """Returns the label that goes with each folder, at the level of the path that names classes.

    That is the level with the fewest folders of which each goes with one label: within `cat/day1/3.png` the
    day does not. None where no level does.
    """
    found = []
    images = sum(one.label is not None and _path(one) is not None for one in seen)
    for level in range(2, 2 + LEVELS):
        folders = _labels_in(seen, level)
        several = {name: count for name, count in sorted(folders.items()) if count.total() > 1}
        first = {name: count.most_common(1)[0] for name, count in several.items()}
        agree, every = sum(number for _, number in first.values()), sum(map(Counter.total, several.values()))
        is_told = 2 * every > images and agree >= AGREE * every  # one image alone agrees with anything
        if is_told and len({label for label, _ in first.values()}) > 1:
            found.append((-round(agree / every, 1), {name: label for name, (label, _) in first.items()}))
    return min(found, key=lambda one: (one[0], len(one[1])))[1] if found else None


def off_folders(seen: list[Sample], data_sets: Sequence[Any]) -> dict[str, Any] | None:
    """Returns how labels lie across the folders that the script itself takes for its classes.

    Folders may be named by anything, a day or a person. They are classes where there are as many as labels,
    and where the script or a data set holds a list of their names.

    Returns:
        level of the path, counted from its end; names, in order; an example of a folder and its labels. None
        where labels go with folders, or these are no classes.
    """
    for level in range(2, 2 + LEVELS):
        folders = _labels_in(seen, level)
        labels = {label for count in folders.values() for label in count}
        if len(folders) < SOME_CLASSES or len(folders) != len(labels) or not _are_held(folders, data_sets):
            continue
        pairs = [(a, b) for count in folders.values() for a, b in combinations(count.elements(), 2)]
        if len(pairs) >= SOME_PAIRS and sum(a == b for a, b in pairs) <= OFF * len(pairs):
            example = max(sorted(folders), key=lambda name: len(folders[name]))
            return {"level": level, "names": sorted(folders), "example": example,
                    "labels": sorted(folders[example])}  # fmt: skip
    return None


def _labels_in(seen: list[Sample], level: int) -> dict[str, Counter[int]]:
    """Returns how many images of each label lie in each folder at a level of their path."""
    folders: dict[str, Counter[int]] = {}
    for one in seen:
        path = _path(one)
        if one.label is not None and path is not None and len(path.parts) >= level:
            folders.setdefault(path.parts[-level], Counter())[one.label] += 1
    return folders


def _path(one: Sample) -> Path | None:
    return Path(one.raw.path) if one.raw and one.raw.path else None


def _are_held(folders: dict[str, Counter[int]], data_sets: Sequence[Any]) -> bool:
    """Returns whether a data set, the script or one of its running functions holds the folders' names."""
    return any(folders.keys() <= names for names in _lists(data_sets))


def _lists(data_sets: Sequence[Any]) -> Iterator[set[str]]:
    """Yields what lists, tuples, sets and dicts of names the script's own variables hold."""
    holders = [vars(sys.modules["__main__"]), *(getattr(one, "__dict__", {}) for one in data_sets)]
    frame = frame_here()
    while frame is not None:
        holders += [frame.f_locals] if is_users(frame.f_code.co_filename) else []
        frame = frame.f_back
    for value in (value for one in holders for value in one.values()):
        if isinstance(value, (list, tuple, set, dict)) and all(isinstance(one, str) for one in value):
            yield set(value)
