"""Too few training images: the same recipe learns from half of them, and the curve is carried on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from plateau_cause import numbers
from plateau_cause.causes import class_imbalance, class_overlap, label_noise
from plateau_cause.causes.trial import DataCause, DataFacts, Trial, on_subset, points
from plateau_cause.causes.words import Words
from plateau_cause.lab.belief import Belief

TIMES = 4  # as many images: what more data would give is said for that many, two doublings
HALVED = 0.75  # of the last doubling's gain is what two more give where each gains half of the one before
# Training minus test accuracy from which images are missing: below it nearly every data set would gain a
# little from twice as many, and no healthy recipe should be told so.
LEAST_GAP = 0.1
HALVES = ("half", "other half")


def _prior(facts: DataFacts) -> float:
    if facts.is_part:  # what more of a part would give says nothing of the whole
        return 0.0
    # Labels that nobody could know are memorised as well, and more images do not help with them.
    unknowable = class_overlap.expected(facts) + label_noise.expected(facts)
    gap = facts.train_accuracy - facts.test_accuracy - unknowable
    missed = float((_common(facts) & ~facts.hits(facts.best)).mean())
    return 0.6 if gap >= LEAST_GAP and 0.5 * missed >= facts.min_effect else 0.0


def _common(facts: DataFacts) -> np.ndarray:
    """Returns (n_test,) whether the image is of a class that is not rare: what rare classes lose is that."""
    return ~np.isin(facts.targets[facts.test], class_imbalance.rare_classes(facts))


def _trial(facts: DataFacts) -> Trial | None:
    subsets = {
        name: half(facts.train, facts.targets, facts.different, first) for first, name in enumerate(HALVES)
    }
    arms = tuple(
        on_subset(facts.best.arm, name, len(rows), len(facts.train)) for name, rows in subsets.items()
    )
    common = _common(facts)
    share = float(common.mean())
    accuracy = 1.0 - float((common & ~facts.hits(facts.best)).mean())
    return Trial(
        base=facts.best,
        base_name="best",
        name="best - half of the images",
        arms=arms,
        subsets=subsets,
        repairs=False,
        counted=common,
        carried=partial(carried_on, accuracy=accuracy, share=share),
    )


def _explain(facts: DataFacts, trial: Trial, measured: Belief) -> list[str]:
    fewer, n = trial.subsets[HALVES[0]], len(facts.train)
    seen, different = (len(np.unique(facts.different[rows])) for rows in (fewer, facts.train))
    copies = "" if different == n else f" ({seen} to {different} different pictures)"
    return [
        f"From {len(fewer)} to {n} training images{copies} test accuracy rose by {points(measured)} "
        f"(measured); {TIMES} times as many would add about "
        f"{numbers.points(trial.carried(measured).mean)} (extrapolated, the mean of two power laws)."
    ]


def _fix(facts: DataFacts, trial: Trial) -> Mapping[str, Any]:
    n = len(np.unique(facts.different[facts.train]))
    which = "" if n == len(facts.train) else "different "
    return {"data": f"more labelled images: about {TIMES * n} {which}for training instead of {n}"}


def half(rows: np.ndarray, targets: np.ndarray, pictures: np.ndarray, first: int = 0) -> np.ndarray:
    """Returns the rows of every other picture of each class, at least one, in order; copies stay together.

    Args:
        rows: of the training images.
        targets: (N,) the class of every image of the manifest.
        pictures: (N,) its picture.
        first: the picture to begin with, 0 or 1.
    """
    kept = np.zeros(len(rows), bool)
    for label in np.unique(targets[rows]):
        own = np.flatnonzero(targets[rows] == label)
        _, firsts, which = np.unique(pictures[rows[own]], return_index=True, return_inverse=True)
        place = np.argsort(np.argsort(firsts))[which]  # of each image's picture, by appearance
        chosen = np.arange(min(first, len(firsts) - 1), len(firsts), 2)
        kept[own[np.isin(place, chosen)]] = True
    return rows[kept]


def carried_on(measured: Belief, accuracy: float, share: float = 1.0) -> Belief:
    """Returns the gain of two more doublings: the mean of two power laws through the last doubling's gain.

    One has no floor: two points fix it, e(4n) = e(n)³ / e(n/2)². One is of exponent 1 with a floor, so that
    each doubling gains half of the one before (Mahmood et al. 2022 on bracketing).

    Args:
        measured: what the last doubling gained on the images that tell.
        accuracy: reached with all images.
        share: of the test images that tell.
    """
    gain, error = share * measured.mean, max(1.0 - accuracy, 1e-6)
    without_floor = error * (1.0 - (error / max(error + gain, 1e-6)) ** 2)
    halved = min(HALVED * gain, error)
    factor = (halved + without_floor) / 2 / gain if gain > 0 else HALVED
    return measured.times(share * factor)


WORDS = Words(
    title="There are too few training images",
    repair="Add training images",
    explanation=(
        "Training accuracy is high, held-out accuracy still rises with every image added: more data, "
        "not another recipe, moves it on."
    ),
)
DATA_CAUSE = DataCause(
    name="limited_data",
    words=WORDS,
    prior=_prior,
    trial=_trial,
    explain=_explain,
    fix=_fix,
    levels=lambda facts, trial, effect: {"more_data": min(1.0, facts.test_accuracy + effect.mean)},
)
