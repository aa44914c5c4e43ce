"""What the curves of a training say before another is run: has it learned, is its rate right."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

HIGH, LOW = "learning_rate_high", "learning_rate_low"
WORSE_THAN_CHANCE = 1.3  # of the loss of guessing: what an epoch's mean loss shows only where steps overshoot
LARGE_STEP = 0.02  # of the weights' norm
STANDING = 0.8  # of the first epoch's loss is left in the last one: training has hardly moved
LEARNED = 0.8  # training accuracy from which the rate was enough
FINISHED = 0.9  # training accuracy from which more epochs are not what is missing
FITTED = 0.5  # of what guessing leaves, in accuracy or loss: the training has got off the ground
FALLING = 0.9  # of the loss of the epoch before is left at most in the last one: it was still falling
SMALL_PATH = 0.02  # of the weights' norm: what a whole training moved
GUESSING = 0.9  # of the loss of guessing, at the end: hardly anything was learned
LIFTED = 0.15  # of what guessing leaves, in accuracy
WANDERED = (
    0.3  # of the weights' norm: so far goes what has left its way, and not what still stands at its start
)


def has_learned(accuracies: Sequence[float | None], losses: Sequence[float | None], classes: int) -> bool:
    """Returns whether a training fitted its images: what it then misses, it does not miss for its seed.

    Args:
        accuracies: on training images, one of each epoch, 0..1.
        losses: of the training batches, likewise.
        classes: how many there are.
    """
    known = [accuracy for accuracy in accuracies if accuracy is not None]
    paid = [loss for loss in losses if loss is not None]
    guessed = 1.0 / max(classes, 2)
    is_accurate = bool(known) and known[-1] >= 1.0 - FITTED * (1.0 - guessed)
    least = FITTED * min(paid[0], -math.log(guessed)) if paid else 0.0
    return is_accurate or (len(paid) > 1 and 0.0 <= paid[-1] <= least)


def suspect(epochs: Sequence[Mapping[str, Any]], classes: int, change_per_step: float | None) -> str | None:
    """Returns the cause that the curves suggest, or None where the rate looks right.

    Args:
        epochs: of replay.json (docs/capture.md).
        classes: how many there are, for the loss of guessing.
        change_per_step: of the weights, as a part of their norm, as the peek measured it; None: unknown.
    """
    trained = [epoch["training"] for epoch in epochs if epoch["training"]]
    losses = [row["loss"] for row in trained if row["loss"] is not None]
    if any(not math.isfinite(loss) for loss in losses) or (change_per_step or 0.0) >= LARGE_STEP:
        return HIGH
    if losses and max(losses) > WORSE_THAN_CHANCE * math.log(max(classes, 2)):
        return HIGH
    accuracy = trained[-1]["accuracy"] if trained else None
    if is_guessing(epochs, classes):  # whichever it is: nothing else says more by one run
        return LOW if path(epochs) < WANDERED else HIGH
    is_standing = len(losses) > 1 and losses[-1] > STANDING * losses[0]
    is_slow = is_standing or not is_unfinished(epochs)  # of what falls fast, more epochs are asked
    has_learned = accuracy is None or accuracy >= LEARNED
    return LOW if is_slow and not has_learned and path(epochs) < SMALL_PATH else None


def is_guessing(epochs: Sequence[Mapping[str, Any]], classes: int) -> bool:
    """Returns whether a training of some epochs ended about where guessing stands, in accuracy and loss.

    Args:
        epochs: of replay.json (docs/capture.md).
        classes: how many there are.
    """
    rows = [epoch["training"] for epoch in epochs if epoch["training"]]
    if len(rows) < 2 or rows[-1]["accuracy"] is None or rows[-1]["loss"] is None:
        return False
    guessed = 1.0 / max(classes, 2)
    is_low = rows[-1]["accuracy"] <= guessed + LIFTED * (1.0 - guessed)
    return bool(is_low and rows[-1]["loss"] >= -GUESSING * math.log(guessed))


def is_unfinished(epochs: Sequence[Mapping[str, Any]]) -> bool:
    """Returns whether a training ended while it was still learning its images.

    Args:
        epochs: of replay.json (docs/capture.md); an accuracy there is that of an epoch as its batches came.
    """
    trained = [epoch["training"] for epoch in epochs if epoch["training"]]
    losses = [row["loss"] for row in trained if row["loss"] is not None]
    if not trained or not is_unfitted(epochs):
        return False
    return len(trained) == 1 or (len(losses) > 1 and losses[-1] <= FALLING * losses[-2])


def is_unfitted(epochs: Sequence[Mapping[str, Any]]) -> bool:
    """Returns whether a training ended without having fitted its images, as they came.

    Args:
        epochs: of replay.json (docs/capture.md).
    """
    trained = [epoch["training"] for epoch in epochs if epoch["training"]]
    return bool(trained) and (trained[-1]["accuracy"] or 0.0) < FINISHED


def path(epochs: Sequence[Mapping[str, Any]]) -> float:
    """Returns how far the median layer that moves has moved, as a part of its norm; infinity: not known."""
    moved = [epoch["moved"] for epoch in epochs if epoch["moved"]]
    parts = [
        one["change"] / one["norm"]
        for one in (moved[-1].values() if moved else ())
        if one["norm"] and one["change"] and one["statistics"] is None
    ]
    return median(parts) if parts else math.inf
