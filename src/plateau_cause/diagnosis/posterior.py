"""What the runs say about every set of factors, run or not: a mixture of Gaussians in closed form.

Under each hypothesis of `prior.py` the accuracies of all sets are jointly Gaussian: a level, the amounts
that are lost, small effects of every factor, the luck of each training and the choice of the test images.
So is what is left after the runs; a hypothesis weighs as much as it foresaw them. How large the luck of a
training is, and
whether one of them failed for no reason but its seed, is part of a hypothesis: repetitions tell.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from plateau_cause.diagnosis.game import Factors, Game
from plateau_cause.diagnosis.prior import Hypotheses
from plateau_cause.lab.belief import Belief

LEVEL, LEVEL_DEVIATION = 0.85, 0.3  # of the reference, accuracy 0..1: says next to nothing
SMALL = 0.004  # standard deviation of the small effect that every factor may have
COMMON_MEAN, COMMON = 0.008, 0.012  # of the mean of these effects: differences cost a little rather than gain
LUCKS = (0.003, 0.008, 0.018)  # of one training: standard deviations, alike likely
FAILS = 0.06  # probability that a training fails for no reason but its seed
FAILED, FAILED_DEVIATION = 0.3, 0.2  # what such a training loses
FEWEST_RUNS = 3  # from which one that failed can be told
NEGLIGIBLE = 12.0  # a hypothesis e^12 times less likely than the best one is dropped
FEWEST_CHANGES, MOST_CHANGES = 0.02, 0.10  # share of test images on which the next run is taken to differ


@dataclass(frozen=True)
class Posterior:
    """What is believed about the accuracies of Q sets of factors, under M hypotheses.

    The covariance of two sets under hypothesis m is `shared[kind[m]]` plus the product of their `loading`.

    Attributes:
        sets: the Q sets, as bits.
        weight: (M,) of the hypotheses, adding up to 1.
        center: (M, Q) expected accuracies.
        loading: (M, Q, 3) what the amounts that are not known yet do to each.
        shared: (V, Q, Q) covariances of what all hypotheses of one kind of luck share.
        kind: (M,) the kind of luck.
        luck: (M,) which of LUCKS that is.
        noise: (M,) variance of the next run's accuracy beside that: its luck and the choice of images.
        prior: the hypotheses that are still alive, to go on from.
    """

    sets: tuple[int, ...]
    weight: np.ndarray
    center: np.ndarray
    loading: np.ndarray
    shared: np.ndarray
    kind: np.ndarray
    luck: np.ndarray
    noise: np.ndarray
    prior: Hypotheses

    @property
    def lucks(self) -> tuple[float, ...]:
        """Returns how likely each of LUCKS is."""
        return tuple(np.bincount(self.luck, self.weight, len(LUCKS)).tolist())

    def change(self, before: int, after: int) -> Belief:
        """Returns what is believed about the accuracy of one set minus that of another, given as bits."""
        i, j = self.sets.index(after), self.sets.index(before)
        loading = self.loading[:, i] - self.loading[:, j]
        shared = self.shared[:, i, i] + self.shared[:, j, j] - 2 * self.shared[:, i, j]
        variance = (loading**2).sum(1) + shared[self.kind]
        return Belief(self.weight, self.center[:, i] - self.center[:, j], np.sqrt(np.maximum(variance, 1e-8)))


def posterior(game: Game, sets: Sequence[Factors], prior: Hypotheses) -> Posterior:
    """Returns what the runs of a game say about the accuracies of these sets.

    Args:
        game: with at least one run.
        sets: of factors left broken.
        prior: what was believed before the first run, or what a posterior of fewer runs left alive.
    """
    seen = np.array([game.bits(run.broken) for run in game.runs])
    asked = np.array([game.bits(broken) for broken in sets])
    hits = np.stack([run.hits for run in game.runs])
    happens = prior.happens(seen)
    missed = hits.mean(1) - _level(seen) + np.einsum("mj,mjr->mr", prior.size, happens)
    kinds = list(_kinds(game, asked, hits))
    evidence = np.stack([_evidence(prior, kind, happens, missed) for kind in kinds])  # (V, M)
    alive = np.flatnonzero((evidence > evidence.max() - NEGLIGIBLE).any(0))
    likely = [np.flatnonzero(row[alive] > evidence.max() - NEGLIGIBLE) for row in evidence]
    kept = prior.kept(alive)
    happens, missed = happens[alive], missed[alive]
    then = kept.happens(asked)
    parts = [
        _after(kept.kept(rows), kind, happens[rows], missed[rows], then[rows])
        for kind, rows in zip(kinds, likely, strict=True)
    ]
    log_weight = np.concatenate([row[alive][rows] for row, rows in zip(evidence, likely, strict=True)])
    weight = np.exp(log_weight - log_weight.max())
    number = np.repeat(np.arange(len(kinds)), [len(rows) for rows in likely])
    return Posterior(
        sets=tuple(int(bits) for bits in asked),
        weight=weight / weight.sum(),
        center=np.concatenate([center for center, _ in parts]) + _level(asked),
        loading=np.concatenate([loading for _, loading in parts]),
        shared=np.stack([kind.left for kind in kinds]),
        kind=number,
        luck=np.array([kind.luck for kind in kinds])[number],
        noise=np.array([LUCKS[kind.luck] ** 2 for kind in kinds])[number] + _next_noise(hits),
        prior=kept,
    )


def log_evidence(game: Game, prior: Hypotheses) -> np.ndarray:
    """Returns (M,) the log probability of each hypothesis and the game's runs together, up to a constant."""
    seen = np.array([game.bits(run.broken) for run in game.runs])
    hits = np.stack([run.hits for run in game.runs])
    happens = prior.happens(seen)
    missed = hits.mean(1) - _level(seen) + np.einsum("mj,mjr->mr", prior.size, happens)
    found = [_evidence(prior, kind, happens, missed) for kind in _kinds(game, seen[:0], hits)]
    return np.asarray(np.logaddexp.reduce(found))


@dataclass(frozen=True)
class _Kind:
    """One size of luck, and perhaps one run that failed: what is Gaussian apart from the amounts.

    Attributes:
        luck: which of LUCKS.
        log_weight: of this kind before the runs, less half the log determinant of their covariance.
        failed: (R,) what each run is expected to have lost by failing.
        inverse: (R, R) of the runs' covariance.
        gain: (Q, R) what a surprise in a run says about each asked set.
        left: (Q, Q) covariance of the asked sets after the runs.
    """

    luck: int
    log_weight: float
    failed: np.ndarray
    inverse: np.ndarray
    gain: np.ndarray
    left: np.ndarray


def _kinds(game: Game, asked: np.ndarray, hits: np.ndarray) -> Iterator[_Kind]:
    seen = np.array([game.bits(run.broken) for run in game.runs])
    runs, lucks = len(seen), game.lucks or (1.0 / len(LUCKS),) * len(LUCKS)
    everything = _covariance(np.concatenate([seen, asked]))
    across, images = everything[runs:, :runs], _image_noise(hits)
    for luck, failed in itertools.product(
        range(len(LUCKS)), [None, *range(runs)] if runs >= FEWEST_RUNS else [None]
    ):
        own = everything[:runs, :runs] + images + LUCKS[luck] ** 2 * np.eye(runs)
        lost, chance = np.zeros(runs), np.log(max(lucks[luck], 1e-9)) + runs * np.log1p(-FAILS)
        if failed is not None:
            lost[failed] = FAILED
            own[failed, failed] += FAILED_DEVIATION**2
            chance += np.log(FAILS / (1.0 - FAILS))
        inverse = np.linalg.inv(own)
        gain = across @ inverse
        left = everything[runs:, runs:] - gain @ across.T
        yield _Kind(luck, chance - 0.5 * np.linalg.slogdet(own)[1], lost, inverse, gain, left)


def _level(sets: np.ndarray) -> np.ndarray:
    """Returns (Q,) the accuracies that are expected where no factor matters."""
    return LEVEL - COMMON_MEAN * np.array([int(bits).bit_count() for bits in sets], float)


def _covariance(sets: np.ndarray) -> np.ndarray:
    """Returns (Q, Q) what every hypothesis shares: an unknown level, small effects of what is broken."""
    broken = np.array([[int(a & b).bit_count() for b in sets] for a in sets], float).reshape(len(sets), -1)
    count = np.diagonal(broken)
    return np.asarray(LEVEL_DEVIATION**2 + SMALL**2 * broken + COMMON**2 * np.outer(count, count))


def _amounts(
    prior: Hypotheses, kind: _Kind, happens: np.ndarray, missed: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns precisions (M, 3, 3) of the amounts after the runs, pulls (M, 3) on them, surprises (M, R)."""
    surprise = missed + kind.failed
    seen = np.einsum("mjr,rs->mjs", happens, kind.inverse)
    precision = np.einsum("mjs,mks->mjk", seen, happens)
    precision[:, range(3), range(3)] += np.maximum(prior.deviation, 1e-6) ** -2.0
    return precision, -np.einsum("mjs,ms->mj", seen, surprise), surprise


def _evidence(prior: Hypotheses, kind: _Kind, happens: np.ndarray, missed: np.ndarray) -> np.ndarray:
    """Returns (M,) the log probability of each hypothesis and the runs together, up to a constant."""
    precision, pull, surprise = _amounts(prior, kind, happens, missed)
    mean = np.linalg.solve(precision, pull[..., None])[..., 0]
    fit = np.einsum("mr,rs,ms->m", surprise, kind.inverse, surprise) - (pull * mean).sum(1)
    size = np.linalg.slogdet(precision)[1] + 2 * np.log(np.maximum(prior.deviation, 1e-6)).sum(1)
    return np.asarray(prior.log_weight + kind.log_weight - 0.5 * (fit + size))


def _after(
    prior: Hypotheses, kind: _Kind, happens: np.ndarray, missed: np.ndarray, then: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns centers (M, Q), less the level, and loadings (M, Q, 3) of the asked sets after the runs.

    Args:
        prior: M hypotheses.
        kind: of luck.
        happens: (M, 3, R) which amounts each run lost.
        missed: (M, R) accuracies of the runs minus what was expected of them.
        then: (M, 3, Q) which amounts the asked sets lose.
    """
    precision, pull, surprise = _amounts(prior, kind, happens, missed)
    covariance = np.linalg.inv(precision)
    change = np.einsum("mjk,mk->mj", covariance, pull)
    left = surprise + np.einsum("mj,mjr->mr", change, happens)
    center = left @ kind.gain.T - np.einsum("mj,mjq->mq", prior.size + change, then)
    moved = np.einsum("mjr,qr->mqj", happens, kind.gain) - then.transpose(0, 2, 1)
    return center, moved @ np.linalg.cholesky(covariance)


def _image_noise(hits: np.ndarray) -> np.ndarray:
    """Returns (R, R) the covariance of the runs' accuracies under another choice of test images.

    Half an image's change is added to every run, one gained and one lost between any two, so that runs which
    agree everywhere are not taken for surely equal (Agresti and Min 2005).
    """
    runs, images = hits.shape
    return np.asarray(
        np.cov(hits, bias=True).reshape(runs, runs) / images + np.eye(runs) / (images + 2) ** 2 / 2
    )


def _next_noise(hits: np.ndarray) -> float:
    """Returns the variance that the choice of images gives the next run, by what the runs so far differ."""
    pairs = [np.abs(a - b).mean() for i, a in enumerate(hits) for b in hits[:i]]
    changes = float(np.clip(np.median(pairs) if pairs else MOST_CHANGES, FEWEST_CHANGES, MOST_CHANGES))
    return changes / (2.0 * float(hits.shape[1]))
