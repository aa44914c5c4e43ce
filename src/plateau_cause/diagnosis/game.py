"""The game: a run leaves a set of factors broken, under a seed; its value is accuracy on the test images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

Factors = frozenset[str]


@dataclass(frozen=True)
class Run:
    """One training.

    Attributes:
        broken: the factors left as in the user's recipe; the others are as in the reference.
        hits: (n_test,) whether each test image was recognised.
        has_learned: whether it fitted what it trained on: then it has not failed for no reason but its seed.
        swing: deviation of its accuracy from one epoch to the next, where that shows how large its luck is.
    """

    broken: Factors
    hits: np.ndarray
    has_learned: bool = False
    swing: float = 0.0


@dataclass(frozen=True)
class Game:
    """What can be broken, and what was run so far.

    Attributes:
        factors: names, in a fixed order.
        active: per factor the probability, before any run, that it matters.
        runs: in the order in which they were made.
        lucks: how likely each size of a training's luck is (of `natures.LUCKS`); None: as in any game.
    """

    factors: tuple[str, ...]
    active: tuple[float, ...]
    runs: tuple[Run, ...] = ()
    lucks: tuple[float, ...] | None = None

    @property
    def everything(self) -> Factors:
        """Returns all factors: the user's recipe leaves these broken, the reference none."""
        return frozenset(self.factors)

    @property
    def hits(self) -> np.ndarray:
        """Returns (R, n_test) which test images each run recognised."""
        return np.stack([run.hits for run in self.runs])

    @property
    def seen(self) -> np.ndarray:
        """Returns (R,) what each run left broken, as bits."""
        return np.array([self.bits(run.broken) for run in self.runs])

    @property
    def swings(self) -> np.ndarray:
        """Returns (R,) the variance by which each run swings: few epochs tell it, those of all runs help."""
        own = np.square([run.swing for run in self.runs])
        return np.asarray((own + own.mean()) / 2)

    def with_run(
        self, broken: Factors, hits: np.ndarray, has_learned: bool = False, swing: float = 0.0
    ) -> Game:
        """Returns the game after another run."""
        return replace(self, runs=(*self.runs, Run(broken, np.asarray(hits, float), has_learned, swing)))

    def bits(self, broken: Factors) -> int:
        """Returns the set as bits, the first factor the lowest."""
        return sum(1 << position for position, name in enumerate(self.factors) if name in broken)

    def isolates(self, factor: str, more: Sequence[Factors] = ()) -> bool:
        """Returns whether two sets were run, or are among `more`, that differ in this factor alone."""
        sets = {*(run.broken for run in self.runs), *more}
        return any(broken | {factor} in sets for broken in sets if factor not in broken)

    def isolated(self, more: Sequence[Factors] = ()) -> np.ndarray:
        """Returns (k,) the same for every factor."""
        return np.array([self.isolates(name, more) for name in self.factors], bool)

    def repetitions(self, broken: Factors) -> int:
        """Returns how often this set was run."""
        return sum(run.broken == broken for run in self.runs)
