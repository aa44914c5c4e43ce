"""What can be asked by training: the recipe's differences, and each suspicion about the data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np

from plateau_cause.causes.factor import Evidence, RecipeFactor
from plateau_cause.causes.trial import DataCause, DataFacts, Trial
from plateau_cause.diagnosis.decision import corners
from plateau_cause.diagnosis.game import Factors, Game
from plateau_cause.diagnosis.natures import LUCKS
from plateau_cause.diagnosis.posterior import posterior
from plateau_cause.diagnosis.prior import Hypotheses, hypotheses
from plateau_cause.diagnosis.search import Look, look
from plateau_cause.diagnosis.symptoms import has_learned
from plateau_cause.diagnosis.verdict import Verdict, judge
from plateau_cause.lab.arm import Arm
from plateau_cause.lab.laboratory import Wanted
from plateau_cause.lab.rates import Rates
from plateau_cause.lab.store import Result

REST = "other differences"  # the factors that nobody asks about, swapped together or not at all
NO_LUCK = (1.0, *[0.0] * (len(LUCKS) - 1))  # two readings of one training differ by no luck


class Bench(Protocol):
    """Where arms are run."""

    seeds: tuple[int, ...]

    def run_all(self, wanted: Sequence[Wanted]) -> list[Result]:
        """Returns the results of independent arms, each under its own seed and with its name, in order."""
        ...

    def price(self, arm: Arm) -> float:
        """Returns what running the arm will cost, in the unit of Result.cost."""
        ...

    def add_subset(self, name: str, rows: np.ndarray) -> None:
        """Names a set of training rows, for `Arm.images`."""
        ...


@dataclass
class Question:
    """A game and where its sets are run.

    Attributes:
        game: what was run so far.
        min_effect: smallest change of accuracy worth reporting.
        bench: where arms are run.
        label: the name of a set's run.
        arm: the arm of a set, for its n-th repetition.
        seen: what of a run's hits tells.
        results: of every set that was run, in order.
    """

    game: Game
    min_effect: float
    bench: Bench
    label: Callable[[Factors], str]
    arm: Callable[[Factors, int], Arm]
    seen: Callable[[Result], np.ndarray]
    results: dict[Factors, list[Result]] = field(default_factory=dict)

    def add(self, broken: Factors, result: Result) -> None:
        """Adds a run of a set."""
        self.results.setdefault(broken, []).append(result)
        self.game = self.game.with_run(broken, self.seen(result), _has_learned(result))

    def look(self, left: float, taken: Sequence[Factors] = ()) -> Look:
        """Returns which run of this question is worth most beside those taken, within what is left."""
        return look(self.game, self.prior, self.min_effect, self.price, left, taken)

    def price(self, broken: Factors) -> float:
        """Returns what the next run of a set costs, all seeds that are asked for together."""
        times = 1 if broken in self.results else len(self.bench.seeds)
        return times * self.bench.price(self.arm(broken, 0))

    def ask(self, broken: Factors) -> float:
        """Runs a set, under every seed that is asked for or, again, under a further one; returns the cost."""
        return self.take(broken, self.bench.run_all(self.wanted(broken)))

    def wanted(self, broken: Factors) -> list[Wanted]:
        """Returns the arms that the next run of a set consists of."""
        before, name = len(self.results.get(broken, [])), self.label(broken)
        seeds = self.bench.seeds if before == 0 else (_next_seed(self.results[broken], self.bench.seeds),)
        arm = self.arm(broken, before)
        first = self.bench.seeds[0]
        return [(arm.with_seed(n), name if n == first else f"{name}, seed {n}") for n in seeds]

    def take(self, broken: Factors, results: Sequence[Result]) -> float:
        """Adds the runs of these arms; returns what they cost."""
        for result in results:
            self.add(broken, result)
        return sum(result.cost for result in results)

    def verdict(self) -> Verdict:
        """Returns what the runs decide."""
        sets = corners(self.game)
        return judge(self.game, posterior(self.game, sets, self.prior), sets, self.min_effect)

    @cached_property
    def prior(self) -> Hypotheses:
        """Returns what is believed before the first run."""
        return hypotheses(self.game.active)


def _has_learned(result: Result) -> bool:
    history = result.outcome.history
    accuracies, losses = ([row.get(f"train_{name}") for row in history] for name in ("accuracy", "loss"))
    return has_learned(accuracies, losses, result.outcome.test_outputs.shape[1])


def _next_seed(results: Sequence[Result], seeds: tuple[int, ...]) -> int:
    return max(max(result.arm.seed for result in results), *seeds) + 1


@dataclass(frozen=True)
class Swaps:
    """The arms between recipe and reference.

    Attributes:
        recipe, reference: the two ends.
        factors: in which they differ, in the order in which they are swapped.
        asked: the names of those that are asked about; the others are swapped together.
    """

    recipe: Arm
    reference: Arm
    factors: tuple[RecipeFactor, ...]
    asked: Factors
    rates: Rates

    @property
    def names(self) -> tuple[str, ...]:
        """Returns what can be broken: the asked factors, and the others as one."""
        asked = tuple(factor.name for factor in self.factors if factor.name in self.asked)
        return asked if len(asked) == len(self.factors) else (*asked, REST)

    def active(self, evidence: Evidence) -> tuple[float, ...]:
        """Returns per name the probability, before any swap, that it matters."""
        chances = {
            factor.name: factor.prior(self.recipe, self.reference, evidence) for factor in self.factors
        }
        rest = max(
            (chances[factor.name] for factor in self.factors if factor.name not in self.asked), default=0.0
        )
        return tuple(rest if name == REST else chances[name] for name in self.names)

    def arm(self, broken: Factors) -> Arm:
        """Returns the recipe with every factor but these as in the reference."""
        fixed = [factor for factor in self.factors if self.part(factor) not in broken]
        if len(fixed) == len(self.factors):
            return self.reference
        arm = self.recipe
        for factor in fixed:
            arm = factor.swapped(arm, self.reference, self.rates)
        return arm

    def label(self, broken: Factors) -> str:
        """Returns the run's name: what was added to the recipe, or what the reference lacks."""
        if not broken or len(broken) == len(self.names):
            return "recipe" if broken else "reference"
        fixed = [name for name in self.names if name not in broken]
        if len(broken) <= len(fixed):
            return "reference - " + ", ".join(name for name in self.names if name in broken)
        return "recipe + " + ", ".join(fixed)

    def part(self, factor: RecipeFactor) -> str:
        """Returns what the factor is called in the game: its name, or that of the rest."""
        return factor.name if factor.name in self.asked else REST


def recipe_question(
    bench: Bench, swaps: Swaps, evidence: Evidence, targets: np.ndarray, min_effect: float
) -> Question:
    """Returns the question which differences hold the recipe back, before any run.

    Args:
        bench: where arms are run.
        swaps: the arms.
        evidence: what the priors go by.
        targets: (n_test,) labels.
        min_effect: smallest change of accuracy worth reporting.
    """
    return Question(
        game=Game(swaps.names, swaps.active(evidence)),
        min_effect=min_effect,
        bench=bench,
        label=swaps.label,
        arm=lambda broken, repetition: swaps.arm(broken),
        seen=lambda result: result.correct(targets),
    )


@dataclass(frozen=True)
class DataQuestion:
    """A suspicion about the data: one factor, and the trial that tests it.

    Attributes:
        cause, facts, trial: what is tested, and what by.
        question: its game; the factor is the cause's name, broken where the data are worse.
    """

    cause: DataCause
    facts: DataFacts
    trial: Trial
    question: Question


def data_question(
    bench: Bench, cause: DataCause, facts: DataFacts, lucks: tuple[float, ...]
) -> DataQuestion | None:
    """Returns the question whether a cause on the data's side matters; None where nothing points at it.

    Args:
        bench: where arms are run.
        cause: the suspicion.
        facts: what is known about the data.
        lucks: how likely each size of a training's luck is, by the runs so far.
    """
    prior = cause.prior(facts)
    trial = cause.trial(facts) if prior > 0 else None
    if trial is None:
        return None
    broken = frozenset({cause.name})
    base, changed = (broken, frozenset[str]()) if trial.repairs else (frozenset[str](), broken)
    for name, rows in trial.subsets.items():
        bench.add_subset(name, rows)
    question = Question(
        game=Game((cause.name,), (prior,), lucks=lucks if trial.arms else NO_LUCK),
        min_effect=facts.min_effect,
        bench=bench,
        label=lambda taken: trial.name if taken == changed else trial.base_name,
        arm=lambda taken, n: trial.arms[n % len(trial.arms)] if taken == changed else trial.base.arm,
        seen=lambda result: trial.seen(facts.hits(result)),
    )
    question.add(base, trial.base)
    if trial.after is not None:
        question.game = question.game.with_run(changed, trial.seen(trial.after))
    return DataQuestion(cause, facts, trial, question)
