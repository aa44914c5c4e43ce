"""Which swap next: factors are swapped one by one, in both directions, until the intervals decide."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from plateau.attribution import Effect, Pair, effect, marginal, verdict
from plateau.causes.factor import Evidence, RecipeFactor
from plateau.training.arm import Arm
from plateau.training.rates import Rates
from plateau.training.store import Result

Factors = frozenset[str]
CHEAP = 0.03  # of the reference's cost: such a swap is run without asking whether it is needed
WORTH_KEEPING = 0.5  # of min_effect: a gain on the path below this is put aside, not dropped

Run = Callable[[Arm, str], list[Result]]  # one result per seed


@dataclass
class Ledger:
    """The game: every set of factors taken from the reference has a value, its run's hits on the test images.

    Attributes:
        recipe: the user's arm (no factor taken).
        reference: the reference's arm (every factor taken).
        factors: those in which the two differ, in the order in which they are swapped.
        targets: (n_test,) labels.
        budget: what may be spent, in the unit of Result.cost.
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

    def affords(self, taken: Factors) -> bool:
        """Returns whether the run of this set fits what is left of the budget."""
        cost = len(self.recipe) * self.estimate(self.arm(taken))
        return taken in self.runs or self.spent + cost <= self.budget

    def is_cheap(self, taken: Factors) -> bool:
        """Returns whether the run of this set costs next to nothing."""
        return self.estimate(self.arm(taken)) <= CHEAP * self.estimate(self.reference[0].arm)

    def label(self, taken: Factors) -> str:
        """Returns the run's name: what was added to the recipe, or what the reference lacks."""
        lacking = self.everything - taken
        names = [factor.name for factor in self.factors]
        if len(lacking) <= len(taken) and len(lacking) < len(names):
            return "reference - " + ", ".join(name for name in names if name in lacking)
        return "recipe + " + ", ".join(name for name in names if name in taken)

    def hits(self, taken: Factors) -> np.ndarray:
        """Returns (n_test,) the share of seeds whose run hit each test image."""
        return np.mean([result.correct(self.targets) for result in self.runs[taken]], axis=0)  # type: ignore[no-any-return]

    def gain(self, before: Factors, after: Factors) -> Effect:
        """Returns the change of test accuracy between two runs that were made."""
        return effect([(self.hits(before), self.hits(after))])

    def pairs(self, name: str) -> tuple[list[Pair], list[Pair]]:
        """Returns the measured pairs that differ in this factor alone, near recipe and near reference."""
        near: tuple[list[Pair], list[Pair]] = ([], [])
        for taken in self.runs:
            if name not in taken and taken | {name} in self.runs:
                side = 0 if 2 * len(taken) < len(self.everything) else 1
                near[side].append((self.hits(taken), self.hits(taken | {name})))
        return near

    def run_keys(self, name: str) -> list[str]:
        """Returns the labels of the runs behind a factor's effect."""
        found: list[Factors] = []
        for taken in self.runs:
            if name not in taken and taken | {name} in self.runs:
                found += [taken, taken | {name}]
        return [self.label(taken) for taken in dict.fromkeys(found) if taken and taken != self.everything]


@dataclass(frozen=True)
class Finding:
    """One factor after the investigation.

    Attributes:
        forward, backward: what fixing it gains near the recipe, what breaking it costs near the reference;
            None where not measured.
        effect: the mean of both; `backward` where the factor hurts alone but is missed in the reference: it
            pays once the others are fixed; the joint effect of all that is unmeasured where neither was.
        jointly: whether `effect` is that joint bound.
    """

    factor: RecipeFactor
    effect: Effect
    forward: Effect | None
    backward: Effect | None
    jointly: bool


@dataclass(frozen=True)
class Investigation:
    """Everything that the swaps showed.

    Attributes:
        gap: reference minus recipe.
        path: the factors whose joint fix closes the gap, in the order in which they were taken.
        findings: one per differing factor.
    """

    ledger: Ledger
    gap: Effect
    verdict: str
    path: tuple[str, ...]
    findings: tuple[Finding, ...]


def investigate(ledger: Ledger, evidence: Evidence, min_effect: float) -> Investigation:
    """Returns which factors carry the gap between recipe and reference."""
    gap = ledger.gain(frozenset(), ledger.everything)
    decision = verdict(gap, min_effect)
    path: tuple[str, ...] = ()
    if ledger.swapped and decision != "healthy":
        _run_cheap(ledger)
        _complete(ledger, min_effect)
        path = _walk(ledger, evidence, min_effect)
        _confirm(ledger, path, min_effect)
    findings = tuple(_finding(ledger, factor, path) for factor in ledger.swapped)
    return Investigation(ledger, gap, decision, path, findings)


def _run_cheap(ledger: Ledger) -> None:
    for factor in ledger.swapped:
        one = frozenset({factor.name})
        for taken in (one, ledger.everything - one):
            if ledger.is_cheap(taken):
                ledger.measure(taken)


def _complete(ledger: Ledger, min_effect: float) -> None:
    """Measures the other direction of what a cheap run already showed to matter, the largest gain first."""

    def gain(factor: RecipeFactor) -> float:
        sides = [effect(side).mean for side in ledger.pairs(factor.name) if side]
        return sides[0] if len(sides) == 1 else 0.0

    for factor in sorted(ledger.swapped, key=gain, reverse=True):
        one = frozenset({factor.name})
        if gain(factor) >= WORTH_KEEPING * min_effect:
            for taken in (one, ledger.everything - one):
                if ledger.affords(taken):
                    ledger.measure(taken)


def _walk(ledger: Ledger, evidence: Evidence, min_effect: float) -> tuple[str, ...]:
    """Takes factors one by one, the most promising first, until the recipe equals the reference."""
    taken: list[str] = []
    aside: list[str] = []
    for name in _by_promise(ledger, evidence):
        if _closed(ledger, taken, min_effect):
            break
        step = frozenset([*taken, name])
        if not ledger.affords(step):
            continue
        ledger.measure(step)
        gained = ledger.gain(frozenset(taken), step).mean
        (taken if gained >= WORTH_KEEPING * min_effect else aside).append(name)
    for name in aside:  # factors that mask each other help only together
        if _closed(ledger, taken, min_effect) or not ledger.affords(frozenset([*taken, name])):
            break
        taken.append(name)
        ledger.measure(frozenset(taken))
    return tuple(taken)


def _by_promise(ledger: Ledger, evidence: Evidence) -> list[str]:
    def promise(factor: RecipeFactor) -> float:
        one = frozenset({factor.name})
        if one in ledger.runs:
            return ledger.gain(frozenset(), one).mean
        return factor.suspicion(ledger.recipe[0].arm, ledger.reference[0].arm, evidence)

    return [factor.name for factor in sorted(ledger.swapped, key=promise, reverse=True)]


def _closed(ledger: Ledger, taken: Iterable[str], min_effect: float) -> bool:
    rest = ledger.gain(frozenset(taken), ledger.everything)
    return rest.mean < WORTH_KEEPING * min_effect or (rest.mean < min_effect and rest.low < 0)


def _confirm(ledger: Ledger, path: tuple[str, ...], min_effect: float) -> None:
    """Breaks each factor of the path in the reference: the second direction.

    A single factor that closes the gap by itself needs none: what it gains and that the rest is harmless are
    both measured already.
    """
    if len(path) == 1 and _closed(ledger, path, min_effect):
        return
    for name in path:
        broken = ledger.everything - {name}
        if ledger.affords(broken):
            ledger.measure(broken)


def _finding(ledger: Ledger, factor: RecipeFactor, path: tuple[str, ...]) -> Finding:
    forward, backward = ledger.pairs(factor.name)
    if not forward and not backward:
        return Finding(factor, ledger.gain(frozenset(path), ledger.everything), None, None, jointly=True)
    mean = marginal(forward, backward)
    alone = marginal(forward, []) if forward else None
    last = marginal([], backward) if backward else None
    # Opposite signs: alone it even hurts, so the mean would say that it does not matter.
    masked = alone is not None and last is not None and alone.mean < 0 < last.low and mean.low <= 0
    return Finding(factor, last if masked and last is not None else mean, alone, last, jointly=False)
