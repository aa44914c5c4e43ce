"""Games whose values are known: kinds of structure, and the noise of trainings and test images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.stats import norm

from plateau_cause.diagnosis.game import Factors

MIN_EFFECT = 0.03
MUST, MAY = 0.045, 0.015  # a cause at least so large must be named; a smaller one than that must not
IMAGES = 360  # test images
ALIKE = 0.85  # correlation of what makes an image hard for one training and for another
EFFECTS = (0.05, 0.08, 0.15, 0.3)
FAILS, FAILED = 0.1, (0.15, 0.5)  # of a failing seed: how often, and what it loses

Loss = Callable[[Factors], float]  # accuracy lost with these factors broken


@dataclass(frozen=True)
class Structure:
    """One game's truth.

    Attributes:
        names: of the factors.
        top: accuracy with nothing broken.
        loss: what is lost with a set of factors broken.
        fails: probability that a training fails for no reason but its seed.
        prices: per factor what a run costs in which it is broken, as a multiple; 1 for every other run.
    """

    names: tuple[str, ...]
    top: float
    loss: Loss
    fails: float = 0.0
    prices: dict[str, float] = field(default_factory=dict)

    def value(self, broken: Factors) -> float:
        """Returns the accuracy to expect with these factors broken."""
        return self.top - self.loss(broken)

    def price(self, broken: Factors) -> float:
        """Returns what a run costs."""
        return float(np.prod([self.prices.get(name, 1.0) for name in broken]))


def structure(
    kind: str, factors: int, rng: np.random.Generator, effects: tuple[float, ...] = EFFECTS
) -> Structure:
    """Returns a random game of a kind.

    Args:
        kind: one of KINDS.
        factors: how many.
        rng: draws it.
        effects: sizes that an effect may have.
    """
    names = tuple(f"f{i}" for i in range(factors))
    a, b, c = (names[i] for i in rng.permutation(factors)[:3])
    top, e, other = float(rng.uniform(0.8, 0.97)), float(rng.choice(effects)), float(rng.choice(effects[:-1]))
    losses: dict[str, Loss] = {
        "single": lambda broken: e * (a in broken),
        "double": lambda broken: e * (a in broken) + other * (b in broken),
        "mask": lambda broken: e * bool({a, b} & broken),
        "spare": lambda broken: e * ({a, b} <= broken),
        "hurts": lambda broken: (
            e * (b in broken) + 0.1 * (a in broken) + 0.16 * (b in broken and a not in broken)
        ),
        "null": lambda broken: 0.0,
        "grey": lambda broken: 0.012 * len(broken),
        "mask3": lambda broken: e * bool({a, b, c} & broken),
        "failing": lambda broken: e * (a in broken) + other * (b in broken),
        "costs": lambda broken: e * (a in broken) + other * (b in broken),
    }
    prices = (
        dict(zip(names, rng.choice([0.1, 0.5, 1.0, 1.5], factors), strict=True)) if kind == "costs" else {}
    )
    return Structure(names, top, losses[kind], FAILS if kind == "failing" else 0.0, prices)


KINDS = ("single", "double", "mask", "spare", "hurts", "null", "grey", "mask3", "failing", "costs")


@dataclass
class NoisyGame:
    """A structure that is asked by training: every run has luck of its own and the same test images."""

    truth: Structure
    rng: np.random.Generator
    luck: float
    images: int = IMAGES

    def __post_init__(self) -> None:
        self._hardness = self.rng.standard_normal(self.images)

    def run(self, broken: Factors) -> np.ndarray:
        """Returns (images,) whether each test image was recognised by a new training."""
        accuracy = self.truth.value(broken) + self.luck * self.rng.standard_normal()
        if self.rng.random() < self.truth.fails:
            accuracy -= self.rng.uniform(*FAILED)
        own = self.rng.standard_normal(self.images)
        seen = np.sqrt(ALIKE) * self._hardness + np.sqrt(1 - ALIKE) * own
        return np.asarray(seen < norm.ppf(np.clip(accuracy, 0.01, 0.995)))


@dataclass(frozen=True)
class Key:
    """What an answer is judged by.

    Attributes:
        must: to be named.
        any_of: one of these is to be named, where either suffices.
        may: may be named; anything else is a false accusation.
    """

    must: Factors
    any_of: Factors
    may: Factors

    def recall(self, named: Factors) -> float | None:
        """Returns the share of what must be named that was; None where nothing must."""
        if self.any_of:
            return float(bool(named & self.any_of))
        return len(named & self.must) / len(self.must) if self.must else None


def key(truth: Structure) -> Key:
    """Returns what is right to say about a game."""
    everything = frozenset(truth.names)
    at = truth.value
    need = {name: at(frozenset()) - at(frozenset({name})) for name in truth.names}
    alone = {name: at(everything - {name}) - at(everything) for name in truth.names}
    must = frozenset(name for name in truth.names if need[name] >= MUST)
    gap = at(frozenset()) - at(everything)
    spare = (
        frozenset(name for name in truth.names if alone[name] >= MUST)
        if gap >= MUST and not must
        else frozenset()
    )
    may = frozenset(name for name in truth.names if max(need[name], alone[name]) >= MAY)
    return Key(must, spare, may)
