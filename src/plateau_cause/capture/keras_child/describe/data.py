"""The part of the peek about data: what a fit reads, in the words of the other doors' loaders."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

from plateau_cause.capture.child.describe.facts import kind
from plateau_cause.capture.child.describe.folders import by_folder, off_folders
from plateau_cause.capture.keras_child import feeds
from plateau_cause.capture.keras_child.describe import origins
from plateau_cause.capture.keras_child.describe.scaling import scaled_at
from plateau_cause.capture.keras_child.filed import filed
from plateau_cause.capture.keras_child.looking import BATCHES, Batches
from plateau_cause.capture.keras_child.scene import Scene

OF_A_PART = ("take", "skip", "shard", "filter")  # steps behind which not every image is left
ENOUGH = 40  # labels that tell whether an order is by chance


def describe(
    batches: Batches, role: str, name: str | None, place: Any, scene: Scene, hooks: Any
) -> dict[str, Any]:
    """Returns what a feed does, as JSON.

    Args:
        batches: the feed and what was read of it.
        role: `train` or `evaluation`.
        name: what the script calls it.
        place: the line of the call that reads it.
        scene: where pipelines have their lines.
        hooks: keeps what goes wrong while a pipeline is read twice.
    """
    feed = batches.feed
    read, made = origins.reader(feed, scene), origins.generator(feed, scene)
    where = read.place if read else scene.places.of(feed.x) if feed.kind != "arrays" else None
    cached = hooks.attempt(origins.caches_behind_chance, feed, scene)
    varies, varies_at = hooks.attempt(origins.varies, feed, scene) or (None, None)
    in_order, shuffled = _in_order(batches), origins.is_shuffled(feed, scene)
    sampler = "not known" if shuffled is None else "RandomSampler" if shuffled else "SequentialSampler"
    steps = list(origins.steps(feed, scene))
    transform_at = varies_at or (made.place if made else None) or where
    return {
        "name": name, "role": role, "place": where or place, "loop": place,
        "batch_size": origins.batch_size(feed, scene), "batches": feeds.count(feed),
        "shuffle": bool(shuffled) and not (in_order and feed.kind != "arrays"),
        "sampler": {"class": sampler}, "drop_last": False, "workers": 0, "collate": None,
        "data_set": {"class": read.by if read else feed.kind if feed.kind == "arrays" else kind(feed.x),
                     "length": _length(batches, scene), "place": where, "within": [],
                     "folder": _folder(read),
                     "transform": {"steps": steps, "place": transform_at} if steps else None},
        "labels": _labels(batches, scene, in_order),
        "image": _image(batches),
        "entering_base": batches.probed["entering"] if batches.probed else None,
        "scaled_at": hooks.attempt(scaled_at, feed, name, scene),
        "shuffled_at": origins.shuffled_at(feed, scene),
        "cached_at": cached[0].place if cached else None,
        "varies": varies, "varies_at": varies_at, "at_random": origins.at_random(feed, scene),
    }  # fmt: skip


def _labels(batches: Batches, scene: Scene, in_order: bool | None) -> dict[str, Any]:
    names = origins.class_names(batches.feed, scene)
    order = {name: number for number, name in enumerate(names)} if names else None
    labels = batches.labels
    seen = (
        {}
        if labels is None
        else {str(one): int((labels == one).sum()) for one in sorted(set(labels.tolist()))}
    )
    files = filed(batches.feed, scene)
    return {"classes": names, "class_to_idx": order, "by_folder": by_folder(files) if files else None,
            "off_folders": off_folders(files, []) if files else None, "in_order": in_order, "seen": seen,
            "neighbours": _neighbours(batches), "shape": batches.label_shape}  # fmt: skip


def _neighbours(batches: Batches) -> dict[str, float] | None:
    """Returns how many labels of a pipeline are that of the one before, and how many would be by chance."""
    if batches.feed.kind != "tf.data" or batches.labels is None or len(batches.labels) < ENOUGH:
        return None
    found = batches.labels.tolist()
    alike = sum(a == b for a, b in pairwise(found)) / (len(found) - 1)
    return {"alike": alike, "by_chance": sum((one / len(found)) ** 2 for one in Counter(found).values())}


def _in_order(batches: Batches) -> bool | None:
    """Returns whether the labels came class by class, as far as they were read."""
    labels = batches.labels
    if labels is None or len(labels) < 8:
        return None
    found = labels.tolist()
    kinds = len(set(found))
    blocks = 1 + sum(a != b for a, b in pairwise(found))
    return blocks == kinds and (kinds > 1 or _has_several(batches))


def _has_several(batches: Batches) -> bool:
    """Returns whether there are more classes than the one that all labels read so far have."""
    shape, output = batches.label_shape, batches.probed["output"] if batches.probed else None
    outputs = 0 if output is None else output.shape[-1]
    return outputs > 1 or (shape is not None and len(shape) == 2 and (shape[1] or 0) > 1) or outputs == 1


def _image(batches: Batches) -> dict[str, Any] | None:
    if batches.probed is None:
        return None
    return {"tensor": batches.probed["given"], "raw": None, "normalisation": None}


def _length(batches: Batches, scene: Scene) -> int | None:
    known = feeds.length(batches.feed)
    if known is not None:
        return known
    parts = list(origins.chain(batches.feed.x, scene)) if batches.feed.kind == "tf.data" else []
    paths = next((one.file_paths for one, _ in parts if getattr(one, "file_paths", None)), None)
    is_part = any(step is not None and step.by in OF_A_PART for _, step in parts)
    if paths is not None and not is_part:
        return len(paths)
    if batches.feed.steps is not None:  # which says how many are read, not how many there are
        return None
    total, size = feeds.count(batches.feed), origins.batch_size(batches.feed, scene)
    if total is not None and batches.labels is not None and total <= BATCHES:
        return len(batches.labels)
    return total * size if is_part and total is not None and size else None


def _folder(read: Any) -> str | None:
    if read is None or "directory" not in read.arguments:
        return None
    return str(read.arguments["directory"])
