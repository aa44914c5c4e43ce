"""What is believed before anything is run: few factors matter, in one of a few ways, by a little or a lot.

A hypothesis says which factors matter and how. What is lost is a sum of at most three amounts, each lost when
an event happens: a factor is broken, any of several are (fixing one alone does not help), all of several are
(fixing any one suffices), or one is fixed while another is not (it hurts alone, and pays later).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

# Sizes of an amount, accuracy 0..1, with their deviations: a little or a lot.
SIZES = ((0.07, 0.035), (0.3, 0.2))
MOST_HYPOTHESES = 6_000
NEVER = 1 << 62  # a factor that is never broken: the event of an amount that a hypothesis does not have

Ways = Mapping[str, float]


class Common(NamedTuple):
    """What every factor costs beside the amounts, of which the factors of one game have a mean in common.

    Attributes:
        mean, deviation: of that mean, accuracy 0..1.
        chance: how likely such a game is.
    """

    mean: float
    deviation: float
    chance: float


@dataclass(frozen=True)
class Beliefs:
    """What is believed of every game, whatever its factors are.

    Attributes:
        ways: how factors that matter work together, and how much likelier each way is than if every factor
            mattered by itself.
        lucks: how likely each size of a training's luck is, of `natures.LUCKS`.
        commons: what differences that do not matter cost.
        fails: probability that a training fails for no reason but its seed.
        by_odds: whether luck is smaller in points where accuracy is high.
        together: how far what several broken factors cost together lies from what a hypothesis says of it,
            as a share of what is lost.
    """

    ways: Ways
    lucks: tuple[float, ...]
    commons: tuple[Common, ...]
    fails: float
    by_odds: bool = True
    together: float = 0.1


BELIEFS = Beliefs(
    ways={
        "none": 1.0,
        "one": 1.0,
        "sum": 0.4,
        "mask": 0.1,
        "spare": 0.1,
        "hurt": 0.1,
        "bottleneck": 0.15,
        "part_spare": 0.05,
        "sum3": 0.15,
        "mask3": 0.02,
        "spare3": 0.02,
        "one_and_mask": 0.05,
        "one_and_spare": 0.05,
    },
    lucks=(1 / 3, 1 / 3, 1 / 3),
    commons=(Common(0.001, 0.003, 0.8), Common(0.012, 0.006, 0.2)),
    fails=0.02,
)


@dataclass(frozen=True)
class Event:
    """When an amount is lost, in bits of factors.

    Attributes:
        every: all of these are broken.
        some: at least one of these is broken; 0: asks nothing.
        fixed: none of these is broken.
    """

    every: int = 0
    some: int = 0
    fixed: int = 0


@dataclass(frozen=True)
class Hypotheses:
    """A mixture over how accuracy depends on what is broken.

    Attributes:
        log_weight: (M,).
        size, deviation: (M, 3) of the amounts; an amount that is not there has size and deviation 0.
        every, some, fixed: (M, 3) bits of the amounts' events.
        beliefs: what holds under all of them.
    """

    log_weight: np.ndarray
    size: np.ndarray
    deviation: np.ndarray
    every: np.ndarray
    some: np.ndarray
    fixed: np.ndarray
    beliefs: Beliefs

    def happens(self, broken: np.ndarray) -> np.ndarray:
        """Returns (M, 3, Q) floats: 1 where the amount is lost under the bits (Q,) of what is broken."""
        every, some, fixed = (bits[:, :, None] for bits in (self.every, self.some, self.fixed))
        all_broken = (broken & every) == every
        some_broken = (some == 0) | ((broken & some) != 0)
        return np.asarray(all_broken & some_broken & ((broken & fixed) == 0), float)


def hypotheses(active: tuple[float, ...], beliefs: Beliefs = BELIEFS) -> Hypotheses:
    """Returns every hypothesis with at most three factors that matter, the likeliest MOST_HYPOTHESES of them.

    Args:
        active: per factor the probability that it matters, were the factors independent.
        beliefs: what is believed of every game.
    """
    found = rows(active, beliefs.ways)
    amounts, events = np.zeros((len(found), 3, 2)), np.zeros((len(found), 3, 3), np.int64)
    events[:, :, 0] = NEVER
    for i, row in enumerate(found):
        for j, (amount, event) in enumerate(zip(row.amounts, row.events, strict=True)):
            amounts[i, j] = amount
            events[i, j] = event.every, event.some, event.fixed
    log_weight = np.log([row.weight for row in found])
    every, some, fixed = np.moveaxis(events, 2, 0)
    return Hypotheses(log_weight, amounts[..., 0], amounts[..., 1], every, some, fixed, beliefs)


class Row(NamedTuple):
    """One hypothesis: how likely, how much is lost (each with a deviation), and when."""

    way: str
    weight: float
    amounts: tuple[tuple[float, float], ...]
    events: tuple[Event, ...]


def rows(active: Sequence[float], ways: Ways = BELIEFS.ways) -> list[Row]:
    """Returns the hypotheses one by one, the likeliest first."""
    found = _all(np.clip(active, 0.005, 0.95), ways)
    return sorted(found, key=lambda row: -row.weight)[:MOST_HYPOTHESES]


def _all(active: np.ndarray, ways: Ways) -> Iterator[Row]:
    odds = active / (1.0 - active)
    for way, (count, events) in EVENTS.items():
        for chosen in itertools.combinations(range(len(active)), count):
            variants = events([1 << factor for factor in chosen])
            combinations = list(itertools.product(SIZES, repeat=len(variants[0])))
            weight = ways[way] * float(np.prod(odds[list(chosen)])) / (len(variants) * len(combinations))
            for variant, combination in itertools.product(variants, combinations):
                yield Row(way, weight, combination, variant)


def _sum(bits: list[int]) -> list[tuple[Event, ...]]:
    return [tuple(Event(every=bit) for bit in bits)]


def _mask(bits: list[int]) -> list[tuple[Event, ...]]:
    return [(Event(some=sum(bits)),)]


def _spare(bits: list[int]) -> list[tuple[Event, ...]]:
    return [(Event(every=sum(bits)),)]


def _hurt(bits: list[int]) -> list[tuple[Event, ...]]:
    return [
        (Event(every=b), Event(every=a), Event(every=b, fixed=a)) for a, b in itertools.permutations(bits)
    ]


def _bottleneck(bits: list[int]) -> list[tuple[Event, ...]]:
    """Each holds accuracy down to a level of its own: fixing the milder alone shows nothing."""
    return [(Event(some=a | b), Event(every=a)) for a, b in itertools.permutations(bits)]


def _part_spare(bits: list[int]) -> list[tuple[Event, ...]]:
    return [(Event(every=a | b), Event(every=a)) for a, b in itertools.permutations(bits)]


def _one_and_mask(bits: list[int]) -> list[tuple[Event, ...]]:
    return [(Event(every=bit), Event(some=sum(bits) - bit)) for bit in bits]


def _one_and_spare(bits: list[int]) -> list[tuple[Event, ...]]:
    return [(Event(every=bit), Event(every=sum(bits) - bit)) for bit in bits]


EVENTS: dict[str, tuple[int, Callable[[list[int]], list[tuple[Event, ...]]]]] = {
    "none": (0, lambda bits: [()]),
    "one": (1, _sum),
    "sum": (2, _sum),
    "mask": (2, _mask),
    "spare": (2, _spare),
    "hurt": (2, _hurt),
    "bottleneck": (2, _bottleneck),
    "part_spare": (2, _part_spare),
    "sum3": (3, _sum),
    "mask3": (3, _mask),
    "spare3": (3, _spare),
    "one_and_mask": (3, _one_and_mask),
    "one_and_spare": (3, _one_and_spare),
}
