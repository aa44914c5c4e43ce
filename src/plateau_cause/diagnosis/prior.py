"""What is believed before anything is run: few factors matter, in one of a few ways, by a little or a lot.

A hypothesis says which factors matter and how. What is lost is a sum of at most three amounts, each lost
when an
event happens: a factor is broken, any of several are (fixing one alone does not help), all of several are
    (fixing any one suffices), or one is fixed while another is not (it hurts alone, and pays later).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

# Sizes of an amount, accuracy 0..1, and their deviation as a share: a log-uniform prior in steps that
# overlap.
FINE, FINE_DEVIATION = (0.05, 0.1, 0.2, 0.4), 0.4
COARSE, COARSE_DEVIATION = (0.06, 0.16, 0.4), 0.6  # where three factors matter
MOST_HYPOTHESES = 20_000
NEVER = 1 << 62  # a factor that is never broken: the event of an amount that a hypothesis does not have

# How factors that matter work together, and how much likelier each way is than if every factor mattered by
# itself.
Ways = Mapping[str, float]
WAYS: Ways = {
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
    "one_and_mask": 0.05,
    "one_and_spare": 0.05,
}


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
    """

    log_weight: np.ndarray
    size: np.ndarray
    deviation: np.ndarray
    every: np.ndarray
    some: np.ndarray
    fixed: np.ndarray

    def happens(self, broken: np.ndarray) -> np.ndarray:
        """Returns (M, 3, Q) floats: 1 where the amount is lost under the bits (Q,) of what is broken."""
        every, some, fixed = (bits[:, :, None] for bits in (self.every, self.some, self.fixed))
        all_broken = (broken & every) == every
        some_broken = (some == 0) | ((broken & some) != 0)
        return np.asarray(all_broken & some_broken & ((broken & fixed) == 0), float)

    def kept(self, rows: np.ndarray) -> Hypotheses:
        """Returns those of the given rows."""
        parts = (self.log_weight, self.size, self.deviation, self.every, self.some, self.fixed)
        return Hypotheses(*(part[rows] for part in parts))


def hypotheses(active: Sequence[float], ways: Ways = WAYS) -> Hypotheses:
    """Returns every hypothesis with at most three factors that matter, the likeliest MOST_HYPOTHESES of them.

    Args:
        active: per factor the probability that it matters, were the factors independent.
        ways: how much likelier each way of working together is than that.
    """
    found = rows(active, ways)
    amounts, events = np.zeros((len(found), 3, 2)), np.zeros((len(found), 3, 3), np.int64)
    events[:, :, 0] = NEVER
    for i, row in enumerate(found):
        for j, (size, event) in enumerate(zip(row.sizes, row.events, strict=True)):
            amounts[i, j] = size, row.deviation * size
            events[i, j] = event.every, event.some, event.fixed
    log_weight = np.log([row.weight for row in found])
    return Hypotheses(log_weight, amounts[..., 0], amounts[..., 1], *np.moveaxis(events, 2, 0))


class Row(NamedTuple):
    """One hypothesis: how likely, how much is lost (with a deviation as a share), and when."""

    way: str
    weight: float
    sizes: tuple[float, ...]
    deviation: float
    events: tuple[Event, ...]


def rows(active: Sequence[float], ways: Ways = WAYS) -> list[Row]:
    """Returns the hypotheses one by one, the likeliest first."""
    found = _all(np.clip(active, 0.005, 0.95), ways)
    return sorted(found, key=lambda row: -row.weight)[:MOST_HYPOTHESES]


def _all(active: np.ndarray, ways: Ways) -> Iterator[Row]:
    odds = active / (1.0 - active)
    for way, (count, events) in EVENTS.items():
        sizes, deviation = (FINE, FINE_DEVIATION) if count < 3 else (COARSE, COARSE_DEVIATION)
        for chosen in itertools.combinations(range(len(active)), count):
            variants = events([1 << factor for factor in chosen])
            combinations = list(itertools.product(sizes, repeat=len(variants[0])))
            weight = ways[way] * float(np.prod(odds[list(chosen)])) / (len(variants) * len(combinations))
            for variant, combination in itertools.product(variants, combinations):
                yield Row(way, weight, combination, deviation, variant)


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
    "one_and_mask": (3, _one_and_mask),
    "one_and_spare": (3, _one_and_spare),
}
