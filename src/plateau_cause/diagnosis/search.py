"""Which run next: of all sets, repetitions included, the one that leaves least undecided per cost."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from plateau_cause.diagnosis.decision import Changes, Targets, corners, matters, targets
from plateau_cause.diagnosis.game import Factors, Game
from plateau_cause.diagnosis.posterior import Posterior, posterior
from plateau_cause.diagnosis.prior import Hypotheses

# What a run may show is looked at in seven parts of its distribution, narrow ones where it is rare: an
# unlikely cause shows itself there.
SHARES = np.array([0.02, 0.08, 0.2, 0.4, 0.2, 0.08, 0.02])
PLACES = np.cumsum(SHARES) - SHARES / 2
NORMAL = ndtri(PLACES)
MOST_REPETITIONS = 4  # runs of one set
ENUMERATED = 6  # up to so many factors every set is a candidate
FOREMOST = 400  # hypotheses that a look ahead weighs
LEAST_GAIN = 4e-3  # undecided mass: less is not worth a run
SETTLED = 0.03  # probability of a wrong answer below which nothing more is asked

NEXT_TO_NOTHING = 1e-3  # of what is left: cheaper runs count as this dear

Price = Callable[[Factors], float]


@dataclass(frozen=True)
class Look:
    """A look ahead.

    Attributes:
        broken: the set to run next; None where nothing affordable would help.
        value: the undecided mass that this run is expected to remove, per cost.
        found: what is believed now.
        sets: that `found` tells about, the corners among them.
    """

    broken: Factors | None
    value: float
    found: Posterior
    sets: list[Factors]


def look(
    game: Game,
    prior: Hypotheses,
    min_effect: float,
    price: Price,
    left: float,
    allowed: Callable[[Factors], bool] = lambda broken: True,
) -> Look:
    """Returns which run is worth most, and what is believed without it.

    Args:
        game: with at least one run.
        prior: hypotheses to start from.
        min_effect: smallest change of accuracy worth reporting.
        price: what a run of a set costs.
        left: what may be spent.
        allowed: which sets may be run at all.
    """
    possible = [
        broken
        for broken in candidates(game)
        if game.repetitions(broken) < MOST_REPETITIONS and allowed(broken) and price(broken) <= left
    ]
    sets = list(dict.fromkeys([*corners(game), *possible]))
    found = posterior(game, sets, prior)
    what = targets(game, sets)
    believed = found.weight @ matters(what.changes(found), min_effect, min_effect)
    undecided = _undecided(believed, game.isolated())
    if undecided < LEAST_GAIN or not possible:
        return Look(None, 0.0, found, sets)
    rows, weight = _foremost(found)
    gains = {
        broken: undecided
        - _expected(found, rows, weight, what, sets.index(broken), min_effect, game.isolated([broken]))
        for broken in possible
    }
    prices = {broken: max(price(broken), NEXT_TO_NOTHING * left, 1e-9) for broken in possible}
    best = max(possible, key=lambda broken: gains[broken] / prices[broken])
    if gains[best] < LEAST_GAIN:
        return Look(None, 0.0, found, sets)
    return Look(best, gains[best] / prices[best], found, sets)


def candidates(game: Game) -> list[Factors]:
    """Returns the sets that may be run: every one of few factors, else those near the corners."""
    names = game.factors
    if len(names) <= ENUMERATED:
        return [
            frozenset(chosen) for r in range(len(names) + 1) for chosen in itertools.combinations(names, r)
        ]
    ranked = sorted(names, key=lambda name: -game.active[names.index(name)])
    pairs = [frozenset(pair) for pair in itertools.combinations(ranked[:ENUMERATED], 2)]
    heads = [frozenset(ranked[:n]) for n in range(2, len(ranked))]
    others = [game.everything - taken for taken in [*pairs, *heads]]
    return list(dict.fromkeys([*corners(game), *pairs, *heads, *others]))


def _wrong(probability: np.ndarray, isolated: np.ndarray) -> np.ndarray:
    """Returns (k,) the probabilities that the answer about each factor is wrong.

    Nobody is accused without a run that isolates the factor: until there is one, the answer is no.
    """
    return np.where(isolated, np.minimum(probability, 1.0 - probability), probability)


def _undecided(probability: np.ndarray, isolated: np.ndarray) -> float:
    """Returns the expected number of wrong answers if everything were answered now; 0 where all is sure."""
    wrong = _wrong(probability, isolated)
    return 0.0 if (wrong <= SETTLED).all() else float(wrong.sum())


def _foremost(found: Posterior) -> tuple[np.ndarray, np.ndarray]:
    rows = np.argsort(-found.weight)[:FOREMOST]
    return rows, found.weight[rows] / found.weight[rows].sum()


def _expected(
    found: Posterior,
    rows: np.ndarray,
    weight: np.ndarray,
    what: Targets,
    run: int,
    min_effect: float,
    isolated: np.ndarray,
) -> float:
    """Returns the undecided mass that is expected after a run of the set in this row."""
    loading, kind = found.loading[rows], found.kind[rows]
    moved = loading[:, what.after] - loading[:, what.before]  # (M, T, 3)
    shared = (found.shared[:, what.after, run] - found.shared[:, what.before, run])[kind]
    together = np.einsum("mtj,mj->mt", moved, loading[:, run]) + shared
    variance = (loading[:, run] ** 2).sum(1) + found.shared[kind, run, run] + found.noise[rows]
    expected = found.center[rows, run]
    center = found.center[rows][:, what.after] - found.center[rows][:, what.before]
    spread = (moved**2).sum(2) + what.shared(found)[kind] - together**2 / variance[:, None]
    deviation = np.sqrt(np.maximum(spread, 1e-8))
    order = np.argsort(expected)
    centers = expected[order][np.searchsorted(np.cumsum(weight[order]), PLACES).clip(max=len(order) - 1)]
    values = centers + NORMAL * np.sqrt(weight @ variance)
    mass = 0.0
    for value, share in zip(values, SHARES, strict=True):
        surprise = value - expected
        log_weight = np.log(weight) - 0.5 * (np.log(variance) + surprise**2 / variance)
        then = np.exp(log_weight - log_weight.max())
        after = Changes(center + together * (surprise / variance)[:, None], deviation)
        believed = (then / then.sum()) @ matters(after, min_effect, min_effect)
        mass += share * float(_wrong(believed, isolated).sum())
    return mass
