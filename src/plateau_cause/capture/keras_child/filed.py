"""The files that arrays of images were read from, by what the script has decoded."""

from __future__ import annotations

from collections.abc import Sequence

from plateau_cause.capture.child.describe.samples import Sample, spread
from plateau_cause.capture.child.doors.decoding import Raw
from plateau_cause.capture.keras_child import feeds
from plateau_cause.capture.keras_child.feeds import Feed
from plateau_cause.capture.keras_child.nested import class_numbers, first_array
from plateau_cause.capture.keras_child.scene import Scene

LOOKED_AT = 48  # images of a feed


def filed(feed: Feed, scene: Scene, numbers: Sequence[int] | None = None) -> list[Sample]:
    """Returns images of arrays with their labels and files; none of anything else.

    Args:
        feed: what a fit reads.
        scene: knows what was decoded.
        numbers: which images; None: some, evenly spread.
    """
    images = first_array(feed.x) if feed.kind == "arrays" and scene.album is not None else None
    if images is None or scene.album is None or not scene.album.paths:
        return []
    wanted = spread(images, LOOKED_AT) if numbers is None else list(numbers)
    labels = class_numbers(feeds.taken(feed, wanted).y)
    if labels is None:
        return []
    paths = [scene.album.path_of(images[number]) for number in wanted]
    return [Sample(number, None if path is None else Raw(None, path), None, int(label))
            for number, path, label in zip(wanted, paths, labels, strict=True)]  # fmt: skip
