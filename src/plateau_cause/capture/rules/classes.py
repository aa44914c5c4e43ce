"""Observations about classes: labels, numbers of classes, their weights in the loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plateau_cause.capture.patches.assigned import assigned_at
from plateau_cause.capture.rules.drawing import FAR_APART, bounds
from plateau_cause.capture.rules.observation import Observation, Peeked, with_places

SELDOM, MOSTLY = 0.1, 0.5  # of what a class has on average in training; of the images of an evaluation
LEAST_SEEN = 4  # labels of a class on average, for what is not among them to be told
SHOWN = 6  # labels in a sentence


def labels(peeked: Peeked) -> Observation | None:
    """Returns that a class has another number in evaluation than in training."""
    train = peeked.train_loader
    if train is None:
        return None
    for other in peeked.other_loaders:
        for key in ("class_to_idx", "by_folder"):
            first, second = without_case(train["labels"][key]), without_case(other["labels"][key])
            common = [name for name in first if name in second]
            differing = [name for name in common if first[name] != second[name]]
            if differing:
                name, place = differing[0], _labelled_at(other)
                words = with_places(
                    f"labels are in another order: {name} is {first[name]} in training and {second[name]} in "
                    f"{other['name'] or 'evaluation'}; {len(differing)} classes differ",
                    place, _labelled_at(train))  # fmt: skip
                return Observation("labels_in_another_order", "label_mapping", words, place)
    return None


def off_folders(peeked: Peeked) -> Observation | None:
    """Returns that labels do not go with the folders of their images, which the script takes for classes."""
    train = peeked.train_loader
    told = train["labels"].get("off_folders") if train else None
    if train is None or told is None:
        return None
    place = _labelled_at(train)
    labels = ", ".join(map(str, told["labels"][:SHOWN])) + (" …" if len(told["labels"]) > SHOWN else "")
    words = with_places(
        f"labels do not go with the images: those in the folder {told['example']} have the labels {labels}",
        place,
    )
    return Observation("labels_off_folders", "label_noise", words, place)


def without_case(labels: Mapping[str, int] | None) -> dict[str, int]:
    """Returns the number of each class by its name in small letters: a folder `Cats` holds what `cats` does.

    Names that differ in nothing else stay as they are.
    """
    folded = {name.casefold(): number for name, number in (labels or {}).items()}
    return folded if len(folded) == len(labels or {}) else dict(labels or {})


def classes(peeked: Peeked) -> Observation | None:
    """Returns that an evaluation is mostly of classes that training hardly has: sorted images were split."""
    train = peeked.train_loader
    if train is None or (peeked.content.get("keras") or {}).get("validation_split"):
        return None  # of which rules.keras tells
    first = train["labels"]["seen"]
    for other in peeked.other_loaders:
        second = other["labels"]["seen"]
        known = len({*first, *second})
        are_all = sum(first.values()) == train["data_set"]["length"]
        if not second or (not are_all and sum(first.values()) < LEAST_SEEN * known):
            continue
        few = [one for one in second if first.get(one, 0) < SELDOM * sum(first.values()) / known]
        if sum(second[one] for one in few) < MOSTLY * sum(second.values()):
            continue
        place = other["data_set"]["place"] or other["place"]
        name = other["name"] or "evaluation"
        words = with_places(
            f"{name} is mostly of classes that training hardly has: {', '.join(few[:5])}", place
        )
        return Observation("classes_apart", "data_order", words, place)
    return None


def _labelled_at(loader: dict[str, Any]) -> dict[str, Any] | None:
    """Returns where a loader's labels are decided: its data set, the function that it is given, or itself."""
    transform = loader["data_set"].get("transform") or {}
    found: dict[str, Any] | None = loader["data_set"]["place"] or transform.get("function")
    return found or loader["place"]


def weighed_apart(peeked: Peeked) -> Observation | None:
    """Returns that the script's weights have one class count far more than another, its images together."""
    weights, name, place = _class_weights(peeked)
    train = peeked.train_loader
    if not weights or not train:
        return None
    classes = train["labels"]["classes"] or []
    counts = {one: count for one, count in train["labels"]["seen"].items() if float(weights.get(one, 0)) > 0}
    shares = {one: bounds(float(weights[one]), count, len(counts)) for one, count in counts.items()}
    most = max(shares, key=lambda one: shares[one][0], default=None)
    least = min(shares, key=lambda one: shares[one][1], default=None)
    if most is None or least is None or shares[most][0] < FAR_APART * shares[least][1]:
        return None
    named = classes[int(most)] if most.isdecimal() and int(most) < len(classes) else most
    times = float(weights[most]) * counts[most] / (float(weights[least]) * counts[least])
    decided = assigned_at(peeked.folder, place, name)
    words = with_places(
        f"{name} has class {named} count {times:.0f} times as much as another", decided, place
    )
    return Observation("classes_weighed_apart", "class_imbalance", words, decided)


def _class_weights(peeked: Peeked) -> tuple[dict[str, Any], str, Any]:
    """Returns how much each class weighs, by its number, what says so and where; nothing where all alike."""
    keras, loss = peeked.content.get("keras"), peeked.content.get("loss") or {}
    if keras is not None:
        return keras.get("class_weight") or {}, "class_weight", peeked.content["training"]["place"]
    given = (loss.get("options") or {}).get("weight")
    if loss.get("computes") not in ("cross_entropy", "nll_loss") or not isinstance(given, list):
        return {}, "", None
    return {str(number): one for number, one in enumerate(given)}, "weight", loss["built"] or loss["place"]


RULES = (labels, off_folders, classes, weighed_apart)
