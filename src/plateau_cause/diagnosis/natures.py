"""The nature of a game: what is Gaussian apart from the amounts, whatever the hypothesis.

A nature is a size of the luck of a training, what differences cost that do not matter, and perhaps one run
that failed for no reason but its seed. Repetitions, and runs that agree, tell which it is.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from plateau_cause.diagnosis.game import Game
from plateau_cause.diagnosis.prior import Beliefs, Common

LEVEL, LEVEL_DEVIATION = 0.85, 0.3  # of the reference, accuracy 0..1: says next to nothing
SMALL = 0.004  # standard deviation of a factor's small effect around what such effects have in common
LUCKS = (0.003, 0.008, 0.018)  # of one training: standard deviations
FAILED, FAILED_DEVIATION = 0.3, 0.2  # what a training loses that fails for no reason but its seed
FEWEST_RUNS = 3  # from which one that failed can be told
USUAL_ODDS = 0.9 * 0.1  # of the accuracy at which LUCKS holds: p (1 - p)
LEAST_SCALE = 0.1  # of it where hardly anything is missed
FEWEST_CHANGES, MOST_CHANGES = 0.02, 0.10  # share of test images on which the next run is taken to differ


@dataclass(frozen=True)
class Natures:
    """What is Gaussian apart from the amounts, for every size of luck, common effect and failed run.

    Attributes:
        luck: (V,) which of LUCKS.
        common: (V,) which of the prior's `commons`.
        commons: these.
        log_weight: (V,) before the runs, less half the log determinant of their covariance.
        lost: (V, R) what each run is expected to have lost by failing.
        inverse: (V, R, R) of the runs' covariance.
        loose: what nobody foresees of what several broken factors cost together.
    """

    luck: np.ndarray
    common: np.ndarray
    commons: tuple[Common, ...]
    log_weight: np.ndarray
    lost: np.ndarray
    inverse: np.ndarray
    loose: Loose

    def level(self, sets: np.ndarray) -> np.ndarray:
        """Returns (V, Q) the accuracies that are expected where no factor matters."""
        count = np.array([int(bits).bit_count() for bits in sets], float)
        mean = np.array([common.mean for common in self.commons])[self.common]
        return np.asarray(LEVEL - mean[:, None] * count)

    def of(self, seen: np.ndarray, asked: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns what a surprise in a run says of each set (V, Q, R), what stays open, and their level."""
        runs = len(seen)
        sets = np.concatenate([seen, asked])
        everything = np.stack([_covariance(sets, common, self.loose) for common in self.commons])
        across = everything[self.common, runs:, :runs]
        gain = across @ self.inverse
        left = everything[self.common, runs:, runs:] - gain @ across.transpose(0, 2, 1)
        return gain, left, self.level(asked)


def natures(game: Game, beliefs: Beliefs) -> Natures:
    """Returns every nature that the runs of a game may have.

    Args:
        game: with at least one run.
        beliefs: how likely each size of luck, common effect and failure is before any run.
    """
    seen, images = game.seen, image_noise(game.hits)
    runs = len(seen)
    may_fail = [number for number, run in enumerate(game.runs) if not run.has_learned]
    failing = [None, *may_fail] if runs >= FEWEST_RUNS else [None]
    each = list(itertools.product(range(len(LUCKS)), range(len(beliefs.commons)), failing))
    loose = Loose.of(game, beliefs.together)
    covariances = [_covariance(seen, common, loose) + images for common in beliefs.commons]
    spread = np.diag(luck_scale(game.hits.mean(1), beliefs) ** 2)
    swings = np.diag(beyond_luck(game.swings))
    own = np.stack([covariances[common] + LUCKS[luck] ** 2 * spread + swings for luck, common, _ in each])
    lost = np.zeros((len(each), runs))
    lucks = game.lucks or beliefs.lucks
    chance = np.array([max(lucks[luck], 1e-9) * beliefs.commons[common].chance for luck, common, _ in each])
    for v, (_, _, failed) in enumerate(each):
        if failed is not None:
            lost[v, failed] = FAILED
            own[v, failed, failed] += FAILED_DEVIATION**2
            chance[v] *= beliefs.fails / (1.0 - beliefs.fails)
    log_weight = np.log(chance) - 0.5 * np.linalg.slogdet(own)[1]
    luck, common = (np.array(part) for part in list(zip(*each, strict=True))[:2])
    return Natures(luck, common, beliefs.commons, log_weight, lost, np.linalg.inv(own), loose)


def beyond_luck(swings: np.ndarray) -> np.ndarray:
    """Returns what swings, variances, have beyond the largest of LUCKS: a run ends where it happens to be."""
    return np.maximum(swings - LUCKS[-1] ** 2, 0.0)


def luck_scale(accuracy: np.ndarray, beliefs: Beliefs) -> np.ndarray:
    """Returns how many times LUCKS the luck of a training is that reaches this accuracy, of the same shape.

    In 158 triples of trainings that differ in their seed alone its deviation goes from 0.4 points at an
    accuracy of 0.97 over 1.4 at 0.9 to 5 between 0.3 and 0.8: about alike in the odds. Below 0.9 the sizes
    stay as they are all the same: with larger ones single runs would decide hardly anything.
    """
    if not beliefs.by_odds:
        return np.ones_like(accuracy)
    return np.clip(accuracy * (1.0 - accuracy) / USUAL_ODDS, LEAST_SCALE, 1.0)


@dataclass(frozen=True)
class Loose:
    """What nobody foresees of what several broken factors cost together: a deviation per set of factors.

    Attributes:
        lost: accuracy that the runs of a set miss of the reference's, by the set's bits.
        unseen: of a set that was not run: as much as everything broken misses.
        share: of what is lost.
    """

    lost: Mapping[int, float]
    unseen: float
    share: float

    @classmethod
    def of(cls, game: Game, share: float) -> Loose:
        """Returns it by the runs of a game."""
        reached = game.hits.mean(1)
        mean = {int(bits): float(reached[game.seen == bits].mean()) for bits in game.seen}
        best = mean.get(0, max(mean.values()))
        lost = {bits: max(0.0, best - value) for bits, value in mean.items()}
        return cls(lost, lost.get(game.bits(game.everything), 0.0), share)

    def variance(self, bits: int) -> float:
        """Returns it of a set, by its bits; what one factor costs is an amount of its own."""
        if bits.bit_count() < 2:
            return 0.0
        return (self.share * self.lost.get(bits, self.unseen)) ** 2


def _covariance(sets: np.ndarray, common: Common, loose: Loose) -> np.ndarray:
    """Returns (Q, Q) what every hypothesis shares: an unknown level, small effects of what is broken."""
    broken = np.array([[int(a & b).bit_count() for b in sets] for a in sets], float).reshape(len(sets), -1)
    count = np.diagonal(broken)
    together = common.deviation**2 * np.outer(count, count)
    own = np.array([loose.variance(int(bits)) for bits in sets])
    return np.asarray(LEVEL_DEVIATION**2 + SMALL**2 * broken + together + own * (sets[:, None] == sets))


def image_noise(hits: np.ndarray) -> np.ndarray:
    """Returns (R, R) the covariance of the runs' accuracies under another choice of test images.

    Every run has a variance of its own, such that those of two add up to the variance of their paired
    difference; what the runs share is part of the level. (Their covariances as they are would let chance
    likenesses explain away what a run shows: accurate runs vary less, so hard images seem to favour them.)
    Half an image's change is added, one gained and one lost between any two, so that runs which agree
    everywhere are not taken for surely equal (Agresti and Min 2005).
    """
    runs, images = hits.shape
    apart = np.array([(hits - own).var(1) for own in hits]) / images  # (R, R)
    others = max(1, runs - 1)
    total = apart.sum(1) - apart.sum() / (2 * others) if runs > 2 else apart.sum(1) / 2
    own = total / max(1, runs - 2)  # least squares
    least = apart.sum(1) / others / 4  # no run is so typical that it does not vary at all
    return np.asarray(np.diag(np.maximum(own, least) + 1.0 / (images + 2) ** 2 / 2))


def next_noise(hits: np.ndarray) -> float:
    """Returns the variance that the choice of images gives the next run, by what the runs so far differ."""
    pairs = [np.abs(a - b).mean() for i, a in enumerate(hits) for b in hits[:i]]
    changes = float(np.clip(np.median(pairs) if pairs else MOST_CHANGES, FEWEST_CHANGES, MOST_CHANGES))
    return changes / (2.0 * float(hits.shape[1]))
