"""What was measured on the way and contradicts a verdict, or makes it worth less: one sentence each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from plateau_cause.numbers import percent

SURE = 3.0  # standard errors
UNTOLD = 1.64  # standard errors
APART = 0.1  # accuracy between two splits, or between accuracy and balanced accuracy, that is said
LEAKED = 0.05  # share of a split that copies training images from which its accuracy means little
TOLD_APART = 0.75  # AUC between training and test images
CLEARLY = 0.25  # of the way from chance to all: a model that tells classes apart less contradicts no label
WRONG = 0.1  # of the labels, surely, in training and beyond: what caps every accuracy
FEWEST = 5  # test images of a class from which it is said that it is never recognised
ALMOST_ALL = 0.98  # share of the predictions that one class takes
SHOWN = 5  # classes in a sentence


@dataclass(frozen=True)
class Alarm:
    """Something that a reader must know before the verdict.

    Attributes:
        code: stable name.
        words: one sentence.
        acquits: whether a recipe may be called healthy in spite of it.
    """

    code: str
    words: str
    acquits: bool


@dataclass(frozen=True)
class Seen:
    """What was measured of the user's recipe and data.

    Attributes:
        classes: names.
        predictions, labels: (n_test,) of the recipe's run.
        val_accuracy: of the same run, on `val_images` images.
        leaked: per split (val, test) the share of images that copy a training image, exactly or nearly.
        split_auc: of a classifier between training and test images.
        probe_val, best_val: validation accuracy of the best linear probe on frozen features, and of the
            best run.
        wrong_labels: of training and of held-out images ("train", "held_out"), the share of labels that look
            wrong, the lower end of its interval, and how far the judging model tells classes apart (0..1).
    """

    classes: tuple[str, ...]
    predictions: np.ndarray
    labels: np.ndarray
    val_accuracy: float
    val_images: int
    leaked: dict[str, float]
    split_auc: float
    probe_val: float
    best_val: float
    min_effect: float
    wrong_labels: dict[str, tuple[float, float, float]] = field(default_factory=dict)

    @property
    def accuracy(self) -> float:
        """Returns the test accuracy."""
        return float((self.predictions == self.labels).mean())

    @property
    def class_mean(self) -> float:
        """Returns the mean recall of the classes that have test images."""
        return balanced_accuracy(self.predictions, self.labels)

    def recalls(self) -> np.ndarray:
        """Returns (C,) the share of each class's test images that is recognised; NaN where it has none."""
        hits = np.bincount(self.labels[self.predictions == self.labels], minlength=len(self.classes))
        sizes = np.bincount(self.labels, minlength=len(self.classes))
        return np.where(sizes > 0, hits / np.maximum(sizes, 1), np.nan)


def balanced_accuracy(predictions: np.ndarray, labels: np.ndarray) -> float:
    """Returns the mean recall of the classes that have images."""
    return float(np.mean([(predictions[labels == label] == label).mean() for label in np.unique(labels)]))


def alarms(seen: Seen) -> list[Alarm]:
    """Returns what must be said, the gravest first."""
    return [alarm for check in CHECKS for alarm in check(seen)]


def _splits_apart(seen: Seen) -> Iterator[Alarm]:
    difference, error = seen.val_accuracy - seen.accuracy, _error(seen)
    if abs(difference) >= APART and abs(difference) >= SURE * error:
        yield Alarm(
            "splits_apart",
            f"Validation accuracy is {percent(seen.val_accuracy)}, test accuracy {percent(seen.accuracy)}: "
            "the two splits do not ask the same.",
            acquits=False,
        )


def _error(seen: Seen) -> float:
    """Returns the standard error of the difference between validation and test accuracy."""
    p = (seen.val_accuracy * seen.val_images + seen.accuracy * len(seen.labels)) / (
        seen.val_images + len(seen.labels)
    )
    spread = max(p * (1.0 - p), 1e-4)
    return math.sqrt(spread / max(1, seen.val_images) + spread / max(1, len(seen.labels)))


def _near_chance(seen: Seen) -> Iterator[Alarm]:
    chance = 1.0 / len(seen.classes)
    error = math.sqrt(chance * (1.0 - chance) / max(1, len(seen.labels)))
    if abs(seen.accuracy - chance) <= UNTOLD * error:
        yield Alarm(
            "at_chance",
            f"Test accuracy {percent(seen.accuracy)} cannot be told from chance ({percent(chance)}) with "
            f"{len(seen.labels)} test images.",
            acquits=False,
        )
    if seen.accuracy < chance - SURE * error:
        yield Alarm(
            "below_chance",
            f"Test accuracy {percent(seen.accuracy)} lies below chance ({percent(chance)}): that takes "
            "knowledge of the classes under other names.",
            acquits=False,
        )


def _one_class(seen: Seen) -> Iterator[Alarm]:
    counts = np.bincount(seen.predictions, minlength=len(seen.classes))
    share, name = counts.max() / max(1, counts.sum()), seen.classes[int(counts.argmax())]
    own, mean = float((seen.labels == counts.argmax()).mean()), seen.class_mean
    if share >= ALMOST_ALL and own < ALMOST_ALL:
        yield Alarm(
            "one_class",
            f"The recipe predicts {name} for {percent(share)} of the test images, of which {percent(own)} "
            f"are: it tells nothing apart (mean over classes {percent(mean)}).",
            acquits=False,
        )


def _never_recognised(seen: Seen) -> Iterator[Alarm]:
    sizes = np.bincount(seen.labels, minlength=len(seen.classes))
    never = [seen.classes[c] for c in np.flatnonzero((seen.recalls() == 0) & (sizes >= FEWEST))]
    if never and len(never) < len(seen.classes):
        names = ", ".join(never[:SHOWN]) + (f" and {len(never) - SHOWN} more" if len(never) > SHOWN else "")
        yield Alarm("never_recognised", f"The recipe never recognises {names}.", acquits=True)


def _probe_ahead(seen: Seen) -> Iterator[Alarm]:
    ahead = seen.probe_val - seen.best_val
    error = math.sqrt(2 * max(seen.best_val * (1 - seen.best_val), 1e-4) / max(1, seen.val_images))
    if ahead >= max(seen.min_effect, 1.64 * error):
        yield Alarm(
            "probe_ahead",
            f"A linear probe on the frozen features reaches {percent(seen.probe_val)} on validation images, "
            f"the best run {percent(seen.best_val)}: every run lacks something that the features hold.",
            acquits=False,
        )


def _leaks(seen: Seen) -> Iterator[Alarm]:
    for split, words in (("val", "validation"), ("test", "test")):
        share = seen.leaked.get(split, 0.0)
        if share >= LEAKED:
            yield Alarm(
                f"leaked_{split}",
                f"{share:.0%} of the {words} images are copies or near copies of training images: {words} "
                "accuracy says little about new images.",
                acquits=True,
            )


def _shifted(seen: Seen) -> Iterator[Alarm]:
    if seen.split_auc >= TOLD_APART:
        yield Alarm(
            "split_shift",
            f"A classifier tells test images from training images (AUC {seen.split_auc:.2f}; 0.5 is "
            "chance): they come from another domain, or were processed otherwise.",
            acquits=True,
        )


def _wrong_labels(seen: Seen) -> Iterator[Alarm]:
    found = [seen.wrong_labels.get(split, (0.0, 0.0, 0.0)) for split in ("train", "held_out")]
    if min(low for _, low, _ in found) >= WRONG and min(apart for *_, apart in found) >= CLEARLY:
        train, held_out = (rate for rate, *_ in found)
        yield Alarm(
            "wrong_labels",
            f"About {train:.0%} of the training labels and {held_out:.0%} of the held-out ones look wrong "
            "(data/interventions/suspect_labels.csv lists them): no recipe is judged above its labels.",
            acquits=False,
        )


def _unbalanced(seen: Seen) -> Iterator[Alarm]:
    balanced = seen.class_mean
    if seen.accuracy - balanced >= APART:
        yield Alarm(
            "unbalanced",
            f"Accuracy is {percent(seen.accuracy)}, the mean over classes {percent(balanced)}: rare ones are "
            "missed.",
            acquits=True,
        )


CHECKS: tuple[Callable[[Seen], Iterator[Alarm]], ...] = (
    _splits_apart,
    _near_chance,
    _one_class,
    _wrong_labels,
    _never_recognised,
    _probe_ahead,
    _leaks,
    _shifted,
    _unbalanced,
)
