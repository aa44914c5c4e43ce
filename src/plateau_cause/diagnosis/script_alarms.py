"""What the held-out accuracy of a script is worth: one sentence where it says little."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plateau_cause.diagnosis.alarms import Alarm
from plateau_cause.diagnosis.replays import is_above, majority
from plateau_cause.numbers import percent

BARELY = 0.25  # of the way from the most frequent class to all: whoever trains on images gets further
UNSTEADY = 0.05  # accuracy: several times what trainings that differ in their seed do (`natures.LUCKS`)
LITTLE = 0.5  # of the training accuracy: what overfitting alone seldom leaves so little of


def script_alarms(
    evaluations: Mapping[str, Mapping[str, Any]],
    accuracy: float,
    trained: float | None = None,
    carries_over: bool = False,
) -> list[Alarm]:
    """Returns what contradicts a healthy verdict.

    Args:
        evaluations: of replay.json; one whose labels are not known says nothing.
        accuracy: of the script on all held-out images, 0..1.
        trained: its training accuracy; None: not known.
        carries_over: whether what the repaired script learns does.
    """
    images = _of_images(evaluations, accuracy)
    return [
        *(images or _of_learning(evaluations, accuracy, trained)),
        *_of_training(accuracy, trained, carries_over),
    ]


def held_out(share: float | None) -> list[Alarm]:
    """Returns that plateau itself held images out.

    Args:
        share: of the training images; None: the script judges some that it does not train on.
    """
    if share is None:
        return []
    words = (
        f"The script judges no images that it does not train on: in every run {percent(share)} of its "
        "training images were held out and judged at the end, without random changes."
    )
    return [Alarm("held_out", words, acquits=True)]


def untried_length(why: str | None) -> list[Alarm]:
    """Returns that a training which ended while it still learned could not be made longer.

    Args:
        why: it could not; None: it could, or there was no reason to.
    """
    if why is None:
        return []
    words = (
        f"The loss was still falling when training ended, and a longer training could not be tried: {why}."
    )
    return [Alarm("still_learning", words, acquits=False)]


def untried(facts: Mapping[str, str]) -> list[Alarm]:
    """Returns that something which stands out in a script could not be changed to see what it costs.

    Args:
        facts: what stands out, in words -> why its change judges nothing.
    """
    said = {f"What stands out could not be tried: {fact}: {why.rstrip('.')}." for fact, why in facts.items()}
    return [Alarm("untried", words, acquits=False) for words in sorted(said)]


def is_far_below(accuracy: float, trained: float | None) -> bool:
    """Returns whether held-out accuracy is so far below that of training that overfitting alone says little.

    Args:
        accuracy: on held-out images, 0..1.
        trained: on training images; None: not known.
    """
    return trained is not None and accuracy < LITTLE * trained


def unmoved(epochs: Sequence[Mapping[str, Any]]) -> list[Alarm]:
    """Returns that no weight has moved in a whole training.

    Args:
        epochs: of replay.json.
    """
    rows = [epoch["moved"] for epoch in epochs if epoch.get("moved")]
    changes = [one.get("change") for one in rows[-1].values()] if rows else []
    if not changes or any(change != 0 for change in changes):  # None: not a number
        return []
    return [Alarm("nothing_moved", "No weight moved in the whole training.", acquits=False)]


def unsteady(swing: float) -> list[Alarm]:
    """Returns that what a run ends with is a matter of luck.

    Args:
        swing: of its held-out accuracy from epoch to epoch near its end, 0..1; see `replays.swing`.
    """
    if swing < UNSTEADY:
        return []
    words = (
        f"Held-out accuracy swings by about {100 * swing:.0f} points from epoch to epoch near the end: what "
        "a run ends with is luck to that extent. A rate that falls towards the end steadies it."
    )
    return [Alarm("unsteady", words, acquits=True)]


def _of_training(accuracy: float, trained: float | None, carries_over: bool) -> list[Alarm]:
    if trained is None or not is_far_below(accuracy, trained):
        return []
    why = "that of the repaired script does"
    if not carries_over:
        why = "there are too few images, or evaluation reads them otherwise"
    words = (
        f"Training accuracy is {percent(trained)}, held-out accuracy {percent(accuracy)}: hardly any of what "
        f"is learned carries over; {why}."
    )
    return [Alarm("far_below_training", words, acquits=False)]


def _of_learning(
    evaluations: Mapping[str, Mapping[str, Any]], accuracy: float, trained: float | None
) -> list[Alarm]:
    splits = [one for one in evaluations.values() if one.get("majority") is not None]
    most = max((one["majority"] for one in splits), default=None)
    if most is None or trained is None:
        return []
    if max(accuracy, trained) >= most + BARELY * (1.0 - most):
        return []
    words = (
        f"Training accuracy is {percent(trained)}, held-out accuracy {percent(accuracy)}: the script as it "
        "is hardly learns its images."
    )
    return [Alarm("hardly_learned", words, acquits=False)]


def _of_images(evaluations: Mapping[str, Mapping[str, Any]], accuracy: float) -> list[Alarm]:
    answered = majority(evaluations)
    if answered is None:
        return []
    if max(one["classes"] for one in evaluations.values()) < 2:
        words = (
            "All held-out images are of one class: their accuracy says nothing about telling classes apart."
        )
        return [Alarm("one_class_held_out", words, acquits=False)]
    if is_above(accuracy, answered):
        return []
    share, images = answered
    words = (
        f"Held-out accuracy {percent(accuracy)} is not surely above what always saying the most frequent "
        f"class reaches ({percent(share)} of {images} images)."
    )
    return [Alarm("no_better_than_majority", words, acquits=False)]
