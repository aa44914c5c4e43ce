"""Which of two models is deployed: decided from what was measured, by nothing else. Values in, values out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from plateau_cause import numbers
from plateau_cause.lab.effect import Effect, effect

# What the exit status of a retraining says; 1 is a failure, 2 something that the user can mend.
STATUS = {"first": 0, "better": 0, "unchanged": 0, "not_better": 3, "new_cause": 4}
PROMOTED = ("first", "better")


@dataclass(frozen=True)
class Candidate:
    """A registered model as the decision sees it: its version and the causes its diagnosis names."""

    version: str
    causes: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """Both models on the same test images.

    Attributes:
        test_images: of today.
        compared: those among them that the champion never learned from.
        champion_accuracy, challenger_accuracy: on the compared images; None where there are none.
        effect: challenger minus champion, paired image by image; None where there are none.
    """

    test_images: int
    compared: int
    champion_accuracy: float | None
    challenger_accuracy: float | None
    effect: Effect | None


@dataclass(frozen=True)
class Decision:
    """What becomes of the challenger: a key of STATUS, and why in one line."""

    outcome: str
    reason: str

    @property
    def status(self) -> int:
        """Returns the exit status."""
        return STATUS[self.outcome]

    @property
    def promote(self) -> bool:
        """Returns whether the challenger is to be deployed."""
        return self.outcome in PROMOTED


def compare(champion: np.ndarray, challenger: np.ndarray, is_fair: np.ndarray) -> Comparison:
    """Returns both models on the test images that are new to both.

    Args:
        champion: (n,) booleans, its hits on today's test images.
        challenger: (n,) booleans, likewise.
        is_fair: (n,) booleans, images that the champion never learned from.
    """
    before, after = champion[is_fair], challenger[is_fair]
    if not len(before):
        return Comparison(len(champion), 0, None, None, None)
    return Comparison(
        len(champion), len(before), float(before.mean()), float(after.mean()), effect([(before, after)])
    )


def decide(challenger: Candidate, champion: Candidate | None, comparison: Comparison | None) -> Decision:
    """Returns what becomes of the challenger.

    It is promoted when it is better by more than noise (the paired 95 % interval lies above zero) and its
    diagnosis names no cause that the champion's does not. Without a champion it is promoted whatever its
    verdict: there is nothing that it could be worse than, and every later model has to beat it.
    """
    version = challenger.version
    if champion is None:
        return Decision("first", f"version {version} is the first, so nothing has to be beaten")
    if champion.version == version:
        return Decision("unchanged", f"version {version} is deployed already: same data, same recipe")
    found = comparison.effect if comparison else None
    if comparison is None or found is None:
        why = f"version {champion.version} learned from every test image of today, so nothing can be compared"
        return Decision("not_better", f"version {version} is not known to be better: {why}")
    measured = _measured(comparison, found, champion.version)
    new = [cause for cause in challenger.causes if cause not in champion.causes]
    named = f"a new plateau cause: {', '.join(new)}"
    if found.low <= 0:
        also = f"; and {named}" if new else ""
        said = "worse" if found.high < 0 else "not better by more than noise"
        return Decision("not_better", f"version {version} is {said}: {measured}{also}")
    if new:
        return Decision("new_cause", f"version {version} has {named}; otherwise {measured}")
    return Decision("better", f"version {version} is better: {measured}")


def _measured(comparison: Comparison, found: Effect, champion: str) -> str:
    change = numbers.points_with_interval(found.mean, (found.low, found.high))
    after, before = (
        numbers.percent(accuracy)
        for accuracy in (comparison.challenger_accuracy, comparison.champion_accuracy)
    )
    return (
        f"{after} instead of {before} of version {champion} on {comparison.compared} test images ({change})"
    )
