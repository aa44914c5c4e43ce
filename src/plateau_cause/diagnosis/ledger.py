"""The ledger: every set of factors taken from the reference, and the run that gave it a value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from plateau_cause.causes.factor import RecipeFactor
from plateau_cause.lab.arm import Arm
from plateau_cause.lab.effect import Effect, Pair, effect
from plateau_cause.lab.rates import Rates
from plateau_cause.lab.store import Result

Factors = frozenset[str]
Run = Callable[[Arm, str], list[Result]]  # one result per seed
CHEAP = 0.1  # of the reference's cost: such a swap is run without asking whether it is needed
WORTH_KEEPING = 0.5  # of min_effect: a gain on the path below this is put aside, not dropped


def hit_share(results: Sequence[Result], targets: np.ndarray) -> np.ndarray:
    """Returns (n_test,) the share of these runs, one per seed, that hit each test image."""
    return np.mean([result.correct(targets) for result in results], axis=0)  # type: ignore[no-any-return]


def gain(before: Sequence[Result], after: Sequence[Result], targets: np.ndarray) -> Effect:
    """Returns how far one arm stands above another, each averaged over its seeds, on the same test images."""
    return effect([(hit_share(before, targets), hit_share(after, targets))])


@dataclass
class Ledger:
    """The game: every set of factors taken from the reference has a value, its run's hits on the test images.

    Attributes:
        recipe: the user's arm (no factor taken).
        reference: the reference's arm (every factor taken).
        factors: those in which the two differ, in the order in which they are swapped.
        targets: (n_test,) labels.
        estimate: what an arm's runs will cost, all seeds together, in the unit of Result.cost.
        budget: what may be spent, in the same unit.
        asked: the factors to swap one by one; the others stay in the gap that is not explained.
    """

    recipe: list[Result]
    reference: list[Result]
    factors: list[RecipeFactor]
    rates: Rates
    run: Run
    estimate: Callable[[Arm], float]
    targets: np.ndarray
    budget: float
    asked: Factors
    spent: float = 0.0
    runs: dict[Factors, list[Result]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.runs[frozenset()] = self.recipe
        self.runs[self.everything] = self.reference

    @property
    def everything(self) -> Factors:
        """Returns the set of all differing factors."""
        return frozenset(factor.name for factor in self.factors)

    @property
    def swapped(self) -> list[RecipeFactor]:
        """Returns the differing factors that are asked about."""
        return [factor for factor in self.factors if factor.name in self.asked]

    def arm(self, taken: Factors) -> Arm:
        """Returns the recipe with these factors as in the reference."""
        if taken == self.everything:
            return self.reference[0].arm
        arm = self.recipe[0].arm
        for factor in self.factors:
            if factor.name in taken:
                arm = factor.swapped(arm, self.reference[0].arm, self.rates)
        return arm

    def measure(self, taken: Factors) -> list[Result]:
        """Returns the runs of this set, one per seed, run now unless they were before."""
        if taken not in self.runs:
            results = self.run(self.arm(taken), self.label(taken))
            self.spent += sum(result.cost for result in results)
            self.runs[taken] = results
        return self.runs[taken]

    def add(self, taken: Factors, result: Result) -> None:
        """Adds the run of a measured set under another seed; its hits are averaged over all."""
        self.spent += result.cost
        self.runs[taken] = [*self.runs[taken], result]

    def affords_repetition(self, taken: Factors) -> bool:
        """Returns whether the run of a measured set fits what is left of the budget once more."""
        return self.spent + self.runs[taken][0].cost <= self.budget

    def affords(self, taken: Factors) -> bool:
        """Returns whether the run of this set fits what is left of the budget."""
        return taken in self.runs or self.spent + self.estimate(self.arm(taken)) <= self.budget

    def is_cheap(self, taken: Factors) -> bool:
        """Returns whether the run of this set costs next to nothing."""
        return self.estimate(self.arm(taken)) <= CHEAP * self.estimate(self.reference[0].arm)

    def label(self, taken: Factors) -> str:
        """Returns the run's name: what was added to the recipe, or what the reference lacks."""
        if not taken or taken == self.everything:
            return "reference" if taken else "recipe"
        lacking = self.everything - taken
        names = [factor.name for factor in self.factors]
        if len(lacking) <= len(taken) and len(lacking) < len(names):
            return "reference - " + ", ".join(name for name in names if name in lacking)
        return "recipe + " + ", ".join(name for name in names if name in taken)

    def hits(self, taken: Factors) -> np.ndarray:
        """Returns (n_test,) the share of seeds whose run hit each test image."""
        return hit_share(self.runs[taken], self.targets)

    def gain(self, before: Factors, after: Factors) -> Effect:
        """Returns the change of test accuracy between two runs that were made."""
        return gain(self.runs[before], self.runs[after], self.targets)

    def closes(self, taken: Iterable[str], min_effect: float) -> bool:
        """Returns whether with these factors fixed nothing worth reporting is left."""
        rest = self.gain(frozenset(taken), self.everything)
        return rest.mean < WORTH_KEEPING * min_effect or (rest.mean < min_effect and rest.low < 0)

    def alone(self, name: str) -> Effect | None:
        """Returns what fixing this factor alone gains in the recipe; None where not measured."""
        one = frozenset({name})
        return self.gain(frozenset(), one) if one in self.runs else None

    def last(self, name: str) -> Effect | None:
        """Returns what breaking this factor alone costs the reference; None where not measured."""
        rest = self.everything - {name}
        return self.gain(rest, self.everything) if rest in self.runs else None

    def pairs(self, name: str, given: Factors = frozenset()) -> tuple[list[Pair], list[Pair]]:
        """Returns the measured pairs that differ in this factor alone, near recipe and near reference.

        Args:
            name: the factor.
            given: only pairs that have these factors fixed.
        """
        near: tuple[list[Pair], list[Pair]] = ([], [])
        for before, after in self._steps(name, given):
            side = 0 if 2 * len(before) < len(self.everything) else 1
            near[side].append((self.hits(before), self.hits(after)))
        return near

    def run_keys(self, name: str) -> list[str]:
        """Returns the labels of the runs behind a factor's effect."""
        return [self.label(taken) for taken in self.behind(name) if taken and taken != self.everything]

    def behind(self, name: str, given: Factors = frozenset()) -> tuple[Factors, ...]:
        """Returns the measured sets that `pairs` compares."""
        return tuple(dict.fromkeys(taken for step in self._steps(name, given) for taken in step))

    def _steps(self, name: str, given: Factors) -> list[tuple[Factors, Factors]]:
        return [
            (taken, taken | {name})
            for taken in self.runs
            if name not in taken and taken >= given and taken | {name} in self.runs
        ]
