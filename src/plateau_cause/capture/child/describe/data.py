"""The part of the peek about data: loaders, data sets, transforms, labels, what a tensor is made of."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

from plateau_cause.capture.child.describe import folders
from plateau_cause.capture.child.describe.drawn import sampler_of
from plateau_cause.capture.child.describe.facts import kind, picture_facts, plain
from plateau_cause.capture.child.describe.names import is_used
from plateau_cause.capture.child.describe.samples import Sample, Sampled, normalisation
from plateau_cause.capture.child.describe.seeing import is_grey, part_seen
from plateau_cause.capture.child.describe.transforms import at_random, chain, held_transform, transforms_of
from plateau_cause.capture.child.doors.decoding import Raw
from plateau_cause.capture.child.passes import Loader
from plateau_cause.capture.child.places import Place, Registry

TIMES = 10.0  # that a spread may differ by chance, crops and what draws on images


def describe(sampled: Sampled, places: Registry[Place]) -> dict[str, Any]:
    """Returns what a loader does, as JSON."""
    loader, seen = sampled.loader, sampled.seen
    given = loader.loader
    image = _image(seen, held_transform(given.dataset), bool(sampled.varies))
    normalised = image and image["normalisation"]
    return {
        "name": loader.name,
        "role": loader.role if loader.role != "unread" or is_used(loader.name) else "unused",
        "place": loader.place,
        "loop": next((one.place for one in loader.passes), None),
        "left_after": next((one.leaves for one in loader.passes if one.backwards), None),
        "batch_size": given.batch_size or _of_batches(given) or _seen_size(loader),
        "batches": _length(given),
        "shuffle": _shuffles(given),
        "sampler": _sampler(given),
        "drop_last": bool(given.drop_last or getattr(given.batch_sampler, "drop_last", False)),
        "workers": given.num_workers,
        "prefetches": type(loader.outer).__name__ == "PrefetchLoader",
        "collate": plain(given.collate_fn),
        "data_set": _data_set(given.dataset, places),
        "labels": _labels(given, seen),
        "image": image,
        "grey": is_grey(seen, normalised),
        "part_seen": part_seen(given.dataset, seen, normalised),
        "varies": sampled.varies,
        "at_random": at_random(given.dataset),
    }


def of_features(told: dict[str, Any], source: dict[str, Any]) -> dict[str, Any]:
    """Returns a loader of features as one of their images, which it draws in its own way."""
    names = ("data_set", "image", "varies", "at_random", "workers", "collate")
    labels = {key: source["labels"][key] or told["labels"][key] for key in ("class_to_idx", "by_folder")}
    return {**told, **{name: source[name] for name in names}, "labels": {**told["labels"], **labels}}


def _data_set(data_set: Any, places: Registry[Place]) -> dict[str, Any]:
    parts = chain(data_set)
    return {
        "class": kind(data_set),
        "length": _length(data_set),
        "place": next((place for one in parts if (place := places.of(one)) is not None), None),
        "within": [kind(one) for one in parts[1:]],
        "folder": next((str(root) for one in parts if isinstance(root := getattr(one, "root", None),
                                                                 (str, Path))), None),
        "transform": transforms_of(data_set, places),
    }  # fmt: skip


def _labels(loader: Any, seen: list[Sample]) -> dict[str, Any]:
    parts = chain(loader.dataset)
    orders = [found for one in parts if isinstance(found := getattr(one, "class_to_idx", None), dict)]
    named = [found for one in parts if isinstance(found := getattr(one, "classes", None), (list, tuple))]
    return {
        "classes": plain(named[0]) if named else None,
        "class_to_idx": plain(orders[0]) if orders else None,
        "by_folder": folders.by_folder(seen),
        "off_folders": folders.off_folders(seen, parts),
        "in_order": _in_order(seen),
        "seen": dict(sorted(Counter(one.label for one in seen if one.label is not None).items())),
        "drawn": _drawn(sampler_of(loader), seen),
    }


def _drawn(sampler: Any, seen: list[Sample]) -> dict[int, float] | None:
    """Returns the average weight by which images of each label are drawn; None where none have weights."""
    weights = getattr(sampler, "weights", None)
    if weights is None or any(one.index >= len(weights) for one in seen):
        return None
    of_label: dict[int, list[float]] = {}
    for one in seen:
        if one.label is not None:
            of_label.setdefault(one.label, []).append(float(weights[one.index]))
    return {label: sum(of_label[label]) / len(of_label[label]) for label in sorted(of_label)}


def _in_order(seen: list[Sample]) -> bool | None:
    """Returns whether the labels stand class by class in the data set."""
    labels = [one.label for one in seen if one.label is not None]
    blocks = 1 + sum(a != b for a, b in pairwise(labels))
    return None if len(labels) < 4 else blocks == len(set(labels))


def _image(seen: list[Sample], transform: Any, varies: bool) -> dict[str, Any] | None:
    """Returns facts of the tensors and of the raw images behind them.

    What normalises images that chance changes is told by its own settings first: a crop has another mean.
    """
    import torch

    found = [one.tensor for one in seen if one.tensor is not None]
    alike = [one for one in found if one.shape == found[0].shape]
    if not alike:
        return None
    raws = [one.raw for one in seen if one.raw is not None and one.raw.image is not None]
    sizes = [list(raw.image.shape[:2]) for raw in raws]
    facts = picture_facts(torch.stack(alike))
    declared, measured = _declared(transform, facts, raws), normalisation(seen)
    if declared and measured:
        declared |= {"channels": measured["channels"], "is_assumed": False}
    return {
        "tensor": facts,
        "raw": {"least_size": [min(column) for column in zip(*sizes, strict=True)],
                "most_size": [max(column) for column in zip(*sizes, strict=True)],
                "example": raws[0].path} if sizes else None,
        "normalisation": (declared if varies else None) or measured or declared,
    }  # fmt: skip


def _declared(transform: Any, tensor: dict[str, Any], raws: list[Raw]) -> dict[str, Any] | None:
    """Returns the only normalisation among the steps of a transform, where chance hides it from measuring.

    It is all that scales the images where their spread is what it makes of theirs, so far as crops allow. The
    order of the channels is assumed then.
    """
    inner = getattr(transform, "transforms", None)
    steps = inner if isinstance(inner, (list, tuple)) else []
    found = [one for one in steps if type(one).__name__ == "Normalize"]
    if len(found) != 1 or not raws:
        return None
    values = {name: getattr(found[0], name, ()) for name in ("mean", "std")}
    if not all(hasattr(value, "__len__") and len(value) == 3 for value in values.values()):
        return None
    told = {name: [float(one) for one in value] for name, value in values.items()}
    spread = max(float(raw.image.std()) for raw in raws) / 255 / max(min(told["std"]), 1e-9)
    is_all = tensor["dtype"] == "uint8" or max(tensor["std"]) * TIMES >= spread >= max(tensor["std"]) / TIMES
    return {"channels": "rgb", "is_assumed": True, **told} if is_all else None


def _length(value: Any) -> int | None:
    try:
        return len(value)
    except (TypeError, NotImplementedError):
        return None


def _of_batches(loader: Any) -> int | None:
    return getattr(loader.batch_sampler, "batch_size", None)


def _seen_size(loader: Loader) -> int | None:
    return next((one.size for one in loader.passes if one.size), None)


def _shuffles(loader: Any) -> bool | None:
    """Returns whether a loader shuffles; None of a stream, whose order is its own."""
    sampler = sampler_of(loader)
    name = type(sampler).__name__
    if name == "DistributedSampler":
        return bool(getattr(sampler, "shuffle", True))
    return None if name == "_InfiniteConstantSampler" else name != "SequentialSampler"


def _sampler(loader: Any) -> dict[str, Any]:
    sampler = sampler_of(loader)
    told = ("replacement", "num_samples")
    facts = {name: plain(getattr(sampler, name, None)) for name in told if hasattr(sampler, name)}
    weights = getattr(sampler, "weights", None)
    if weights is not None and len(weights):
        facts["weights"] = {"least": float(min(weights)), "most": float(max(weights)), "count": len(weights)}
    return {"class": kind(sampler), **facts}
