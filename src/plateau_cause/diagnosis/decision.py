"""What is to be decided about every factor and the gap, and how sure the runs make it.

What counts is what the repaired training loses when one factor alone stays broken: its *need*. Where nothing
is needed because either of several repairs suffices, what fixing one *alone* gains takes its place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from plateau_cause.diagnosis.game import Factors, Game
from plateau_cause.diagnosis.posterior import Posterior

SURE = 0.9  # probability from which something is said
SURELY_NOT = 0.95  # probability from which it is said that something does not matter
WORTH = 0.5  # of min_effect: what an effect must surely reach to be called a cause
UNLIKELY = 0.2  # probability of a gap worth reporting below which a recipe is called healthy


def corners(game: Game) -> list[Factors]:
    """Returns the sets whose accuracies decide: nothing or everything broken, one alone, all but one."""
    one = [frozenset({name}) for name in game.factors]
    return list(
        dict.fromkeys([frozenset(), game.everything, *one, *(game.everything - name for name in one)])
    )


@dataclass(frozen=True)
class Changes:
    """Differences between sets of a posterior: first k needs, then k gains alone, then the gap.

    Attributes:
        center, deviation: (M, T) under each hypothesis.
    """

    center: np.ndarray
    deviation: np.ndarray

    def reaches(self, least: float) -> np.ndarray:
        """Returns (M, T) the probability that each is at least this."""
        return np.asarray(ndtr((self.center - least) / self.deviation))


@dataclass(frozen=True)
class Targets:
    """The differences that decide, as rows into a posterior's sets.

    Attributes:
        before, after: (T,) where T = 2k + 1: first k needs, then k gains alone, then the gap.
    """

    before: np.ndarray
    after: np.ndarray

    def changes(self, found: Posterior) -> Changes:
        """Returns what is believed about the differences."""
        loading = found.loading[:, self.after] - found.loading[:, self.before]
        variance = (loading**2).sum(2) + self.shared(found)[found.nature]
        center = found.center[:, self.after] - found.center[:, self.before]
        return Changes(center, np.sqrt(np.maximum(variance, 1e-8)))

    def shared(self, found: Posterior) -> np.ndarray:
        """Returns (V, T) the part of their variances that all hypotheses of one nature share."""
        s, a, b = found.shared, self.after, self.before
        return np.asarray(s[:, a, a] + s[:, b, b] - 2 * s[:, a, b])


def targets(game: Game, sets: list[Factors]) -> Targets:
    """Returns the differences that decide, among these sets."""
    row = {broken: i for i, broken in enumerate(sets)}
    nothing, everything = row[frozenset()], row[game.everything]
    one = [row[frozenset({name})] for name in game.factors]
    others = [row[game.everything - {name}] for name in game.factors]
    before = [*one, *[everything] * len(one), everything]
    return Targets(np.array(before), np.array([*[nothing] * len(one), *others, nothing]))


def matters(changes: Changes, least: float, min_effect: float) -> np.ndarray:
    """Returns (M, k) the probabilities that each factor is needed, or one of several that suffice.

    Args:
        changes: what decides.
        least: what it must be needed for, or gain alone, accuracy 0..1.
        min_effect: where no factor is needed for so much, what it gains alone counts.
    """
    k = changes.center.shape[-1] // 2
    reached = changes.reaches(least)
    needed = (reached if least == min_effect else changes.reaches(min_effect))[..., :k]
    nothing_needed = np.prod(1.0 - needed, axis=-1, keepdims=True)
    only_alone = np.maximum(reached[..., k : 2 * k] - reached[..., :k], 0.0)
    return np.asarray(reached[..., :k] + nothing_needed * only_alone)
