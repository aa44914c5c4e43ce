"""What the runs say about every set of factors, run or not: a mixture of Gaussians in closed form.

Under each hypothesis of `prior.py` the accuracies of all sets are jointly Gaussian: a level, the amounts that
are lost, small effects of every factor, the luck of each training and the choice of the test images. So is
what is left after the runs; a hypothesis weighs as much as it foresaw them. How large the luck of a training
is, how much differences cost that do not matter, and whether one of the runs failed for no reason but its
seed, is part of a hypothesis: the *nature* of a game.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from plateau_cause.diagnosis.game import Factors, Game
from plateau_cause.diagnosis.natures import LUCKS, Natures, beyond_luck, luck_scale, natures, next_noise
from plateau_cause.diagnosis.prior import Hypotheses

NEGLIGIBLE = 9.0  # a hypothesis e^9 times less likely than the best one is dropped


@dataclass(frozen=True)
class Posterior:
    """What is believed about the accuracies of Q sets of factors, under N hypotheses.

    The covariance of two sets under hypothesis n is `shared[nature[n]]` plus the product of their `loading`.

    Attributes:
        sets: the Q sets, as bits.
        weight: (N,) of the hypotheses, adding up to 1, the likeliest first.
        center: (N, Q) expected accuracies.
        loading: (N, Q, 3) what the amounts that are not known yet do to each.
        shared: (V, Q, Q) covariances of what all hypotheses of one nature share.
        nature: (N,) of which nature each is.
        luck: (N,) which of LUCKS that has.
        noise: (N, Q) variance of the next run's accuracy beside that: its luck and the choice of images.
    """

    sets: tuple[int, ...]
    weight: np.ndarray
    center: np.ndarray
    loading: np.ndarray
    shared: np.ndarray
    nature: np.ndarray
    luck: np.ndarray
    noise: np.ndarray

    @property
    def lucks(self) -> tuple[float, ...]:
        """Returns how likely each of LUCKS is."""
        return tuple(np.bincount(self.luck, self.weight, len(LUCKS)).tolist())


@dataclass(frozen=True)
class Weighed:
    """The hypotheses after the runs of a game; `at` says what they believe of any set.

    Attributes:
        game: with its runs.
        prior: the M hypotheses.
        natures: the V natures.
        row, nature: (N,) of a pair of both that is still likely, the likeliest first.
        weight: (N,) adding up to 1.
        change: (N, 3) what the runs changed of the expected amounts.
        root: (N, 3, 3) with the amounts' covariance = root @ root.T.
        surprise: (N, R) how much better each run was than expected before it.
    """

    game: Game
    prior: Hypotheses
    natures: Natures
    row: np.ndarray
    nature: np.ndarray
    weight: np.ndarray
    change: np.ndarray
    root: np.ndarray
    surprise: np.ndarray

    @property
    def failed(self) -> np.ndarray:
        """Returns (R,) how likely each run failed for no reason but its seed."""
        return np.asarray(self.weight @ (self.natures.lost[self.nature] > 0))

    def at(self, sets: Sequence[Factors], most: int | None = None) -> Posterior:
        """Returns what is believed of the accuracies of these sets, by the likeliest hypotheses.

        Args:
            sets: of factors left broken.
            most: how many hypotheses; None: all that are still likely.
        """
        some = slice(most)
        rows, nature, weight = self.row[some], self.nature[some], self.weight[some]
        asked = np.array([self.game.bits(broken) for broken in sets])
        seen = self.game.seen
        gain, shared, level = self.natures.of(seen, asked)  # (V, Q, R), (V, Q, Q), (V, Q)
        now, then = self.prior.happens(seen)[rows], self.prior.happens(asked)[rows]  # (N, 3, R), (N, 3, Q)
        left = self.surprise[some] + np.einsum("nj,njr->nr", self.change[some], now)
        amounts = self.prior.size[rows] + self.change[some]
        center = np.empty((len(rows), len(asked)))
        moved = np.empty((len(rows), len(asked), 3))
        for v in np.unique(nature):
            own = nature == v
            center[own] = left[own] @ gain[v].T + level[v]
            moved[own] = (now[own] @ gain[v].T).transpose(0, 2, 1)
        center -= np.einsum("nj,njq->nq", amounts, then)
        lucks = self.natures.luck[nature]
        scale = luck_scale(center.clip(0.0, 1.0), self.prior.beliefs)
        beside = next_noise(self.game.hits) + float(beyond_luck(self.game.swings).mean())
        noise = (np.array(LUCKS)[lucks][:, None] * scale) ** 2 + beside
        return Posterior(
            sets=tuple(int(bits) for bits in asked),
            weight=weight / weight.sum(),
            center=center,
            loading=(moved - then.transpose(0, 2, 1)) @ self.root[some],
            shared=shared,
            nature=nature,
            luck=lucks,
            noise=noise,
        )


def weigh(game: Game, prior: Hypotheses) -> Weighed:
    """Returns the hypotheses after the runs of a game.

    Args:
        game: with at least one run.
        prior: what is believed before the first run.
    """
    fit = _fit(game, prior)
    log_weight = fit.log_weight
    nature, row = np.nonzero(log_weight > log_weight.max() - NEGLIGIBLE)
    order = np.argsort(-log_weight[nature, row], kind="stable")
    nature, row = nature[order], row[order]
    weight = np.exp(log_weight[nature, row] - log_weight.max())
    root = prior.deviation[row][:, :, None] * fit.inverse[nature, row].transpose(0, 2, 1)  # (N, 3, 3)
    change = np.einsum("njk,nk->nj", root, fit.pulled[nature, row])
    return Weighed(
        game, prior, fit.natures, row, nature, weight / weight.sum(), change, root, fit.surprise[nature, row]
    )


def log_evidence(game: Game, prior: Hypotheses) -> np.ndarray:
    """Returns (L * C, M) the log probability of luck, common effect, hypothesis and the runs together."""
    fit, groups = _fit(game, prior), len(LUCKS) * len(prior.beliefs.commons)
    return np.asarray(
        np.logaddexp.reduce(fit.log_weight.reshape(groups, -1, fit.log_weight.shape[1]), axis=1)
    )


def posterior(game: Game, sets: Sequence[Factors], prior: Hypotheses) -> Posterior:
    """Returns what the runs of a game say about the accuracies of these sets of factors left broken."""
    return weigh(game, prior).at(sets)


@dataclass(frozen=True)
class _Fit:
    """How each nature and hypothesis meets the runs.

    Attributes:
        natures: the V natures.
        log_weight: (V, M) of both and the runs together, up to a constant.
        surprise: (V, M, R) how much better each run was than expected before it.
        inverse: (V, M, 3, 3) of the Cholesky factor of the amounts' precision, in units of their deviations.
        pulled: (V, M, 3) what the runs say of the amounts, in the factor's own axes.
    """

    natures: Natures
    log_weight: np.ndarray
    surprise: np.ndarray
    inverse: np.ndarray
    pulled: np.ndarray


def _fit(game: Game, prior: Hypotheses) -> _Fit:
    nature = natures(game, prior.beliefs)
    happens = prior.happens(game.seen)  # (M, 3, R)
    level = nature.level(game.seen)[:, None] - np.einsum("mj,mjr->mr", prior.size, happens)
    surprise = (game.hits.mean(1) + nature.lost)[:, None] - level  # (V, M, R)
    scaled = happens * prior.deviation[:, :, None]
    weighty = np.einsum("mjr,vrs->vmjs", scaled, nature.inverse, optimize=True)
    precision = np.einsum("vmjs,mks->vmjk", weighty, scaled, optimize=True) + np.eye(scaled.shape[1])
    lower = np.linalg.cholesky(precision)
    inverse = np.linalg.inv(lower)
    pulled = -np.einsum("vmjk,vmks,vms->vmj", inverse, weighty, surprise, optimize=True)
    distance = ((surprise @ nature.inverse) * surprise).sum(2) - (pulled**2).sum(2)
    size = 2 * np.log(np.diagonal(lower, axis1=2, axis2=3)).sum(2)
    log_weight = prior.log_weight + nature.log_weight[:, None] - 0.5 * (distance + size)
    return _Fit(nature, log_weight, surprise, inverse, pulled)
