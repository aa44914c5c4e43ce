"""Which run next: of all sets, repetitions included, the one that leaves least open per cost."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtr, ndtri

from plateau_cause.diagnosis.decision import Changes, Targets, corners, matters, targets
from plateau_cause.diagnosis.game import Factors, Game
from plateau_cause.diagnosis.posterior import Posterior, weigh
from plateau_cause.diagnosis.prior import Hypotheses

# What a run may show is looked at in seven parts of its distribution, narrow ones where it is rare: an
# unlikely cause shows itself there.
SHARES = np.array([0.02, 0.08, 0.2, 0.4, 0.2, 0.08, 0.02])
PLACES = np.cumsum(SHARES) - SHARES / 2
EDGES = np.cumsum(SHARES)[:-1]
NORMAL = ndtri(PLACES)
RARE = 1e-6  # probability of an outcome that is not looked at
MOST_REPETITIONS = 4  # runs of one set
ENUMERATED = 6  # up to so many factors every set is a candidate
FOREMOST = 400  # hypotheses that a look ahead weighs
LEAST_GAIN = 4e-3  # of what is open: less is not worth a run
SETTLED = 0.03  # probability of a wrong answer below which nothing more is asked
DOUBTFUL = 0.2  # probability that a run failed for its seed from which its set is run again before all else

NEXT_TO_NOTHING = 1e-3  # of what is left: cheaper runs count as this dear

Price = Callable[[Factors], float]


@dataclass(frozen=True)
class Look:
    """A look ahead.

    Attributes:
        broken: the set to run next; None where nothing affordable would help.
        value: how much of what is open this run is expected to close, per cost.
        lucks: how likely each size of a training's luck is now.
    """

    broken: Factors | None
    value: float
    lucks: tuple[float, ...]


def look(
    game: Game,
    prior: Hypotheses,
    min_effect: float,
    price: Price,
    left: float,
    taken: Sequence[Factors] = (),
) -> Look:
    """Returns which run is worth most.

    Args:
        game: with at least one run.
        prior: what is believed before the first run.
        min_effect: smallest change of accuracy worth reporting.
        price: what a run of a set costs.
        left: what may be spent.
        taken: sets that are run in any case, at the same time: others, which count as what isolates.
    """
    weighed = weigh(game, prior)
    sets = corners(game)
    found = weighed.at(sets)
    believed = found.weight @ matters(targets(game, sets).changes(found), min_effect, min_effect)
    possible = [
        broken
        for broken in candidates(game)
        if broken not in taken and game.repetitions(broken) < MOST_REPETITIONS and price(broken) <= left
    ]
    doubtful = [broken for broken in _doubtful(game, weighed.failed) if broken in possible]
    if doubtful:
        return Look(doubtful[0], 1.0 / max(price(doubtful[0]), NEXT_TO_NOTHING * left, 1e-9), found.lucks)
    if not possible or _is_settled(believed, game.isolated(taken)):
        return Look(None, 0.0, found.lucks)
    sets = list(dict.fromkeys([*sets, *possible]))
    ahead = _Ahead(weighed.at(sets, FOREMOST), targets(game, sets), min_effect)
    usual = max(price(game.everything), NEXT_TO_NOTHING * left, 1e-9)
    now = open_mass(ahead.believed(), game.isolated(taken), int(left / usual))

    def gain(broken: Factors) -> float:
        later = int((left - price(broken)) / usual)
        return now - ahead.open_mass(sets.index(broken), game.isolated([*taken, broken]), later)

    gains = {broken: gain(broken) for broken in possible}
    prices = {broken: max(price(broken), NEXT_TO_NOTHING * left, 1e-9) for broken in possible}
    best = max(possible, key=lambda broken: gains[broken] / prices[broken])
    if gains[best] < LEAST_GAIN:
        return Look(None, 0.0, found.lucks)
    return Look(best, gains[best] / prices[best], found.lucks)


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


def open_mass(probability: np.ndarray, isolated: np.ndarray, later: int) -> float:
    """Returns how much is open: per factor the chance that two draws from what is believed disagree.

    Nobody is accused without a run that isolates the factor: of one that likely matters and was not isolated,
    everything is open, or half of the rest where there is still a run to isolate it.

    Args:
        probability: (k,) that each factor matters.
        isolated: (k,) which were isolated.
        later: for how many runs something is left.
    """
    disagree = 2 * probability * (1 - probability)
    rest = np.where(isolated | (probability < 0.5), 0.0, probability - disagree)
    rest[np.argsort(-rest)[:later]] /= 2
    return float((disagree + rest).sum())


def _doubtful(game: Game, failed: np.ndarray) -> list[Factors]:
    """Returns the sets whose only run may well have failed for its seed, the likeliest first.

    Where few factors do not explain a run, that it failed does: all that is said of the others then rests on
    it, and no look ahead that counts what is open factor by factor values a second seed.
    """
    likeliest = np.argsort(-failed, kind="stable")
    doubtful = [game.runs[number].broken for number in likeliest if failed[number] > DOUBTFUL]
    return [broken for broken in doubtful if game.repetitions(broken) == 1]


def _is_settled(probability: np.ndarray, isolated: np.ndarray) -> bool:
    """Returns whether every factor surely matters, and was isolated, or surely does not."""
    wrong = np.where(isolated, np.minimum(probability, 1.0 - probability), probability)
    return bool((wrong <= SETTLED).all())


@dataclass(frozen=True)
class _Ahead:
    """What may be believed after one more run.

    Attributes:
        found: of all sets, by the foremost hypotheses.
        what: the differences that decide.
        min_effect: smallest change of accuracy worth reporting.
    """

    found: Posterior
    what: Targets
    min_effect: float

    def believed(self) -> np.ndarray:
        """Returns (k,) the probabilities, before that run, that each factor matters."""
        chances = matters(self.what.changes(self.found), self.min_effect, self.min_effect)
        return np.asarray(self.found.weight @ chances)

    def open_mass(self, run: int, isolated: np.ndarray, later: int) -> float:
        """Returns how much is expected to be open after a run of the set in this row.

        Args:
            run: a row of the posterior's sets.
            isolated: (k,) the factors that are isolated then.
            later: for how many runs something is left then.
        """
        found, what, nature = self.found, self.what, self.found.nature
        loading, expected = found.loading[:, run], found.center[:, run]
        variance = (loading**2).sum(1) + found.shared[nature, run, run] + found.noise[:, run]
        moved, center, spread = self._targets
        shared = found.shared[:, what.after, run] - found.shared[:, what.before, run]
        together = np.einsum("ntj,nj->nt", moved, loading) + shared[nature]
        deviation = np.sqrt(np.maximum(spread - together**2 / variance[:, None], 1e-8))
        mass = 0.0
        for value, then in self._outcomes(expected, np.sqrt(variance)):
            after = Changes(center + together * ((value - expected) / variance)[:, None], deviation)
            share = then.sum()
            believed = (then / share) @ matters(after, self.min_effect, self.min_effect)
            mass += share * open_mass(believed, isolated, later)
        return mass

    @cached_property
    def _targets(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns what the amounts do to the T differences (N, T, 3), their centers and variances (N, T)."""
        found, what = self.found, self.what
        moved = found.loading[:, what.after] - found.loading[:, what.before]
        center = found.center[:, what.after] - found.center[:, what.before]
        return moved, center, (moved**2).sum(2) + what.shared(found)[found.nature]

    def _outcomes(self, expected: np.ndarray, deviation: np.ndarray) -> Iterator[tuple[float, np.ndarray]]:
        """Yields what the run may show, in parts of its distribution: a value, and (N,) the weights under it.

        The weights of all parts add up to those before the run: looking ahead promises nothing by itself.
        """
        order = np.argsort(expected)
        below = np.cumsum(self.found.weight[order])
        rows = order[np.searchsorted(below, np.r_[PLACES, EDGES]).clip(max=len(order) - 1)]
        values = expected[rows] + np.r_[NORMAL, ndtri(EDGES)] * (self.found.weight @ deviation)
        edges = np.r_[-np.inf, values[len(PLACES) :], np.inf]
        inside = np.diff(ndtr((edges - expected[:, None]) / deviation[:, None]), axis=1)  # (N, parts)
        for value, share in zip(values, inside.T, strict=False):
            then = self.found.weight * share
            if then.sum() > RARE:
                yield float(value), then
