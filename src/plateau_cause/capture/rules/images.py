"""Observations about images: what evaluation sees other than training, and what loaded weights expect."""

from __future__ import annotations

from typing import Any

from plateau_cause import numbers
from plateau_cause.capture.patches.data import normalised_alike
from plateau_cause.capture.rules.observation import Observation, Peeked, with_places

MEAN_APART, STD_APART = 0.1, 1.3  # of 0..1 images: normalisations that differ by more are different
PLAIN = 0.1  # how far mean and std may be measured from 0 and 1 where nothing normalises
FAR = 8.0  # times the spread that weights expect: bytes for numbers, or numbers scaled twice
PART_SEEN = 0.45  # of what training sees of an image: crops in use leave evaluation more
TINY_PART = 0.15  # of an image, on average: crops in use show a half
SIZE_APART = 1.5
ON_PURPOSE = ("tta",)  # in names of loaders whose predictions are averaged over random views


def normalisation(peeked: Peeked) -> Observation | None:
    """Returns that evaluation reads images that are normalised otherwise than those of training."""
    train = peeked.train_loader
    if train is None:
        return _after_loading(peeked)
    for other in peeked.other_loaders:
        words = apart(train, other)
        if words is not None:
            places = _scaling_place(other), _scaling_place(train)
            name = other["name"] or "evaluation"
            said = with_places(f"{name} {words} than training", *places)
            patch = normalised_alike(peeked.folder, *places)
            return Observation("evaluation_normalised_otherwise", "evaluation", said, places[0], patch)
    return _after_loading(peeked)


def unexpected(peeked: Peeked) -> Observation | None:
    """Returns that loaded weights are given images that are far from those which they were trained on.

    A network within another module may be given others than the loader yields.
    """
    wanted, train = peeked.content.get("expected"), peeked.train_loader
    found = _facts(train).get("normalisation") if train else None
    is_whole = (peeked.model.get("backbone") or {}).get("is_whole")
    if not train or not wanted or not found or not is_whole or not peeked.is_pretrained:
        return None
    ratios = [a / b for a, b in zip(found["std"], wanted["std"], strict=True)]
    is_far = max(max(ratios), 1 / max(min(ratios), 1e-9)) > FAR
    if not is_far and found["channels"] == "rgb":
        return None
    place, tensor = _scaling_place(train), train["image"]["tensor"]
    given = f"values from {tensor['least']:.3g} to {tensor['most']:.3g}" if is_far else "BGR images"
    wants = f"images of {_said(wanted)}" if is_far else "RGB"
    words = with_places(f"the model gets {given}; its weights expect {wants}", place)
    return Observation("preprocessing_unexpected", "preprocessing", words, place)


def seen_otherwise(peeked: Peeked) -> Observation | None:
    """Returns that evaluation is shown a small part of each image, or no colours, or alone colours."""
    train = peeked.train_loader
    for other in peeked.other_loaders if train is not None else ():
        assert train is not None
        told = _part_apart(train, other) or _colours_apart(train, other)
        if told is not None:
            place = transform_place(other)
            words = with_places(f"{other['name'] or 'evaluation'} {told}", place, transform_place(train))
            return Observation("evaluation_seen_otherwise", "evaluation", words, place)
    return None


def _part_apart(train: dict[str, Any], other: dict[str, Any]) -> str | None:
    own, usual = other.get("part_seen"), train.get("part_seen")
    if own is None or usual is None or own >= PART_SEEN * usual:
        return None
    return f"sees {own:.0%} of each image, training {usual:.0%}"


def _colours_apart(train: dict[str, Any], other: dict[str, Any]) -> str | None:
    pair = other.get("grey"), train.get("grey")
    said = {(True, False): "reads grey images, training coloured ones",
            (False, True): "reads coloured images, training grey ones"}  # fmt: skip
    return said.get(pair)  # type: ignore[arg-type]


def training_sees_part(peeked: Peeked) -> Observation | None:
    """Returns that training is shown a tiny part of each image, other than evaluation."""
    train = peeked.train_loader
    usual = [one["part_seen"] for one in peeked.other_loaders if one.get("part_seen")]
    own = train.get("part_seen") if train else None
    if train is None or own is None or not usual or own > TINY_PART or own > PART_SEEN / 2 * max(usual):
        return None
    place = transform_place(train)
    words = with_places(f"training sees {own:.0%} of each image, evaluation {max(usual):.0%}", place)
    return Observation("training_sees_part", "augmentation", words, place)


def size(peeked: Peeked) -> Observation | None:
    """Returns that evaluation reads images of quite another size."""
    training, evaluation = peeked.content["training"], peeked.content["evaluation"]
    if not evaluation or not training["input"] or not evaluation["input"]:
        return None
    shapes = training["input"]["shape"], evaluation["input"]["shape"]
    if any(len(shape) != 4 for shape in shapes):
        return None
    sides = shapes[0][-1], shapes[1][-1]
    if max(sides) < SIZE_APART * min(sides):
        return None
    loader = next((one for one in peeked.other_loaders if one["role"] == "evaluation"), None)
    place = transform_place(loader) if loader else evaluation["place"]
    words = with_places(f"evaluation reads images of {sides[1]} px, training of {sides[0]} px", place)
    return Observation("evaluation_sized_otherwise", "evaluation", words, place)


def augmented_evaluation(peeked: Peeked) -> Observation | None:
    """Returns that chance changes the images of an evaluation."""
    for other in peeked.other_loaders:
        name = other["name"] or "evaluation"
        if other["varies"] and not any(word in name.lower() for word in ON_PURPOSE):
            place = transform_place(other)
            words = with_places(f"{name} is augmented: chance changes its images", place)
            return Observation("evaluation_augmented", "evaluation", words, place)
    return None


def transform_place(loader: dict[str, Any]) -> dict[str, Any] | None:
    """Returns where a loader's transform was made; else its data set, else the loader itself."""
    transform = loader["data_set"]["transform"]
    found: dict[str, Any] | None = (transform and transform["place"]) or loader["data_set"]["place"]
    return found or loader["place"]


def _scaling_place(loader: dict[str, Any]) -> dict[str, Any] | None:
    """Returns where the range of a loader's images is decided."""
    found: dict[str, Any] | None = loader.get("scaled_at")
    return found or transform_place(loader)


def _facts(loader: dict[str, Any]) -> dict[str, Any]:
    return loader["image"] or {}


def apart(of_training: dict[str, Any], of_evaluation: dict[str, Any]) -> str | None:
    """Returns in words how two loaders normalise apart; None where they do not or cannot be compared."""
    train, other = _facts(of_training), _facts(of_evaluation)
    first, second = train.get("normalisation"), other.get("normalisation")
    if first and second:
        return _measured_apart(first, second)
    if not train or not other or len(train["tensor"]["shape"]) != len(other["tensor"]["shape"]):
        return None  # features of images are other than images
    return _ranges_apart(train["tensor"], other["tensor"])


def _measured_apart(first: dict[str, Any], second: dict[str, Any]) -> str | None:
    is_known = not first.get("is_assumed") and not second.get("is_assumed")
    if is_known and first["channels"] != second["channels"]:
        return f"reads {second['channels'].upper()} images, other"
    means = max(abs(a - b) for a, b in zip(first["mean"], second["mean"], strict=True))
    stds = max(max(a / b, b / a) for a, b in zip(first["std"], second["std"], strict=True))
    if means <= MEAN_APART * max(1, *first["std"], *second["std"]) and stds <= STD_APART:
        return None
    is_plain = max(map(abs, second["mean"])) < PLAIN and all(abs(one - 1) < PLAIN for one in second["std"])
    return "is not normalised, other" if is_plain else f"is normalised by {_said(second)}, other"


def _said(found: dict[str, Any]) -> str:
    return f"mean {_rounded(found['mean'])}, std {_rounded(found['std'])}"


def _rounded(values: list[float]) -> str:
    return " ".join(numbers.short(value) for value in values)


def _ranges_apart(first: dict[str, Any], second: dict[str, Any]) -> str | None:
    if first["least"] < -0.3 and second["least"] >= 0:
        return f"reads values from {second['least']:.2g} to {second['most']:.2g}, other"
    if second["least"] < -0.3 and first["least"] >= 0:
        return f"reads values from {second['least']:.2g} to {second['most']:.2g}, other"
    if first["most"] > 0 and second["most"] > 0:
        ratio = first["most"] / second["most"]
        if max(ratio, 1 / ratio) > 10:
            return f"reads values up to {second['most']:.3g}, other"
    return None


def _after_loading(peeked: Peeked) -> Observation | None:
    """Compares what reaches the model: some scripts normalise on the device."""
    training, evaluation = peeked.content["training"], peeked.content["evaluation"]
    if not evaluation or not training["input"] or not evaluation["input"]:
        return None
    alike = len(training["input"]["shape"]) == len(evaluation["input"]["shape"])
    words = _ranges_apart(training["input"], evaluation["input"]) if alike else None
    if words is None:
        return None
    first, second = _behind_loader(peeked, "train") or training["place"], evaluation["place"]
    second = _behind_loader(peeked, "evaluation") or second
    said = with_places(f"evaluation {words} than training", second, first)
    return Observation("evaluation_normalised_otherwise", "evaluation", said, second)


def _behind_loader(peeked: Peeked, role: str) -> dict[str, Any] | None:
    """Returns the line of a loader that makes numbers of bytes out of sight, as timm's does."""
    found = [one for one in peeked.content["loaders"] if one["role"] == role]
    is_one = len(found) == 1 and found[0]["prefetches"]
    return found[0]["place"] if is_one else None


RULES = (normalisation, unexpected, seen_otherwise, training_sees_part, size, augmented_evaluation)
