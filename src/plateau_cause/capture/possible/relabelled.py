"""Labels of evaluation that mean other classes than those of training, told by what a model takes for what.

For scripts whose labels have no names that could be compared: arrays, tables, folders in a listed order.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from plateau_cause.capture.possible.change import Possible
from plateau_cause.capture.rules.observation import Peeked, with_places
from plateau_cause.features.label_order import ERRORS, SUSPECT, best_mapping

SHOWN = 4  # classes in a sentence
PRIOR = 0.9
LEARNED = 0.25  # of the way from one answer for all to every image: less, and there is no label to be mapped
CARRIED = 0.5  # of the training accuracy is reached at least where labels are all that differs
Pairs = tuple[np.ndarray, np.ndarray]  # (n,) predicted classes, (n,) labels


def relabelled(
    peeked: Peeked, evaluations: Mapping[str, Mapping[str, Any]], trained: float | None
) -> Possible | None:
    """Returns held-out labels in the numbers of training; None where these fit as they are.

    Args:
        peeked: the peek of the script.
        evaluations: of replay.json.
        trained: accuracy on training images, 0..1; None: not known.
    """
    found = {} if _have_names(peeked) else mapping(evaluations, trained)
    if not found:
        return None
    place = _place(peeked) or next(iter(evaluations.values())).get("place")
    pairs = [f"{label} is learned as {meant}" for label, meant in found.items()]
    shown = ", ".join(pairs[:SHOWN]) + (f" and {len(pairs) - SHOWN} more" if len(pairs) > SHOWN else "")
    words = with_places(
        f"labels of evaluation seem to mean other classes than those of training: {shown}", place
    )
    told = {str(label): meant for label, meant in found.items()}
    return Possible("labels_mapped", "label_mapping", words, "labels in another order", place, None,
                    {"mapping": told}, PRIOR, True)  # fmt: skip


def _have_names(peeked: Peeked) -> bool:
    """Returns whether folders say which class is which, in training and in evaluation: they are compared.

    A model that takes one class for another, a turned 6 for a 9, is no reason to doubt them.
    """
    train = peeked.train_loader
    if train is None:
        return False
    key = "class_to_idx" if peeked.content.get("framework") == "keras" else "by_folder"
    names = [one["labels"].get(key) or {} for one in (train, *peeked.other_loaders)]
    return len(names) > 1 and all(len(names[0].keys() & one.keys()) > 1 for one in names[1:])


def _place(peeked: Peeked) -> Any:
    """Returns the line of the data set that is evaluated; of its loader where one line makes them all."""
    train = peeked.train_loader
    other = next((one for one in peeked.other_loaders if one["role"] == "evaluation"), None)
    if other is None:
        return None
    place = other["data_set"]["place"]
    is_own = place and not (train and train["data_set"]["place"] == place)
    return place if is_own else other["place"]


def mapping(evaluations: Mapping[str, Mapping[str, Any]], trained: float | None = None) -> dict[int, int]:
    """Returns which label of held-out images stands for which class of training; nothing where all fit.

    It is found on one half of the images and judged on the other, and the other way round. What it reaches
    must be much of what training does, and more than one answer for everything: a model that hardly tells
    classes apart, or learns none of the labels that it is trained on, is better under many an order.
    """
    rows: list[Any] = [one.get("confused") or ([], []) for one in evaluations.values()]
    halves = [[row for split in rows for row in split[half]] for half in (0, 1)]
    if not all(halves):
        return {}
    classes = 1 + max(max(row[:2]) for half in halves for row in half)
    first, second = (_arrays(half) for half in halves)
    images = len(first[1]) + len(second[1])
    predicted, labels = (np.concatenate(one) for one in zip(first, second, strict=True))
    reached = (_hits(first, second, classes) + _hits(second, first, classes)) / images
    gained = reached - float((predicted == labels).mean())
    majority = float(np.bincount(labels).max()) / images
    least = max(majority + SUSPECT, CARRIED * (1.0 if trained is None else trained))
    if trained is not None and max(trained, reached) < majority + LEARNED * (1.0 - majority):
        return {}
    if gained < max(SUSPECT, ERRORS * math.sqrt(0.5 / images)) or reached < least:
        return {}
    meant = best_mapping(predicted, labels, classes)
    return {int(label): number for number, label in enumerate(meant) if number != label and label in labels}


def _hits(known: Pairs, judged: Pairs, classes: int) -> int:
    """Returns how many hits there are in one half by the mapping of the other."""
    predicted, labels = judged
    return int((best_mapping(*known, classes)[predicted] == labels).sum())


def _arrays(rows: list[list[int]]) -> Pairs:
    table = np.array(rows, dtype=int)  # label, predicted, count
    return np.repeat(table[:, 1], table[:, 2]), np.repeat(table[:, 0], table[:, 2])
