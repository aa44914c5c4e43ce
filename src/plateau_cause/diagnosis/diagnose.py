"""The diagnosis: of all runs the one that is worth most, until nothing affordable would help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from plateau_cause import numbers, runtime
from plateau_cause.causes import data_causes, recipe_factors
from plateau_cause.causes.factor import Evidence
from plateau_cause.causes.trial import DataFacts
from plateau_cause.config.params import Diagnosis as Limits
from plateau_cause.diagnosis import together
from plateau_cause.diagnosis.evidence import best_of, gather_evidence, gather_facts
from plateau_cause.diagnosis.questions import (
    DataQuestion,
    Question,
    Swaps,
    data_question,
    recipe_question,
)
from plateau_cause.diagnosis.verdict import Verdict
from plateau_cause.features.views import View
from plateau_cause.lab import build
from plateau_cause.lab.arm import Arm
from plateau_cause.lab.effort import MOST_RUNS
from plateau_cause.lab.laboratory import Laboratory, Wanted
from plateau_cause.lab.rates import Rates
from plateau_cause.lab.store import Result


@dataclass(frozen=True)
class Diagnosed:
    """Everything that the runs showed.

    Attributes:
        swaps: the arms between recipe and reference.
        question: the runs of these, by the set of factors that is left broken.
        verdict: what they decide.
        data: the suspicions about the data that were tested, each with what its runs decide.
        recommended: the best run, chosen on validation; its recipe is the one to use.
        runs: every run by name, the recipe and the reference included.
        seeds: that every arm was asked for.
        evidence, facts: what the priors went by.
    """

    swaps: Swaps
    question: Question
    verdict: Verdict
    data: tuple[tuple[DataQuestion, Verdict], ...]
    recommended: Result
    runs: Mapping[str, Result]
    seeds: tuple[int, ...]
    evidence: Evidence
    facts: DataFacts


@dataclass
class Runner:
    """Runs arms and remembers them by name."""

    lab: Laboratory
    seeds: tuple[int, ...]
    runs: dict[str, Result]
    least: float = 0.0  # what every run counts for

    def run_all(self, wanted: Sequence[Wanted]) -> list[Result]:
        """Returns the results of independent arms, each under its own seed, in order."""
        results = self.lab.run_all(wanted)
        self.runs |= {name: result for (_, name), result in zip(wanted, results, strict=True)}
        return results

    def comparable(self) -> dict[str, Result]:
        """Returns the runs that learned from the images as they are."""
        return {name: result for name, result in self.runs.items() if result.arm.images == "all"}

    def price(self, arm: Arm) -> float:
        """Returns what running the arm will cost; one that trains nothing takes time all the same."""
        return max(build.cost(self.lab, arm), self.least)

    def add_subset(self, name: str, rows: np.ndarray) -> None:
        """Names a set of training rows."""
        self.lab.add_subset(name, rows)


def diagnose(
    lab: Laboratory,
    rates: Rates,
    recipe: list[Result],
    reference: list[Result],
    limits: Limits,
    noise: Mapping[str, Any],
    views: Mapping[str, View],
    split_auc: float = 0.5,
    candidates: Sequence[float] = (),
    pictures: np.ndarray | None = None,
) -> Diagnosed:
    """Returns what the plateau is made of.

    Args:
        lab: holds data, backbone and code.
        rates: learning rates as ratios.
        recipe: results of the user's arm, one per seed.
        reference: results of the reference's arm, one per seed.
        limits: the diagnosis section of params.yaml.
        noise: label-noise evidence per part of the data, from the feature_shift stage.
        views: features by name, from the embed stage.
        split_auc: of a classifier between training and test images, from the feature_shift stage.
        candidates: what the other candidates for the reference cost, in the unit of Result.cost.
        pictures: (N,) the same number for images that are copies or near copies, from dataset_stats.
    """
    evidence = gather_evidence(lab, rates, recipe[0], reference[0], views)
    swaps = swaps_between(recipe[0].arm, reference[0].arm, rates, limits)
    runner = Runner(lab, limits.seeds, {"recipe": recipe[0], "reference": reference[0]})
    targets = lab.dataset.targets[lab.dataset.indices("test")]
    question = recipe_question(runner, swaps, evidence, targets, limits.min_effect)
    for own, other in zip(recipe, reference, strict=True):
        question.add(question.game.everything, own)
        question.add(frozenset(), other)
    search = Search(lab, runner, question, limits, noise, split_auc, evidence, pictures)
    search.spend(budget(recipe, reference, candidates, limits.max_cost))
    return Diagnosed(
        swaps=swaps,
        question=question,
        verdict=question.verdict(),
        data=tuple((asked, asked.question.verdict()) for asked in search.data.values()),
        recommended=_recommended(lab, runner),
        runs=runner.runs,
        seeds=limits.seeds,
        evidence=evidence,
        facts=search.facts(),
    )


@dataclass
class Search:
    """Spends a budget on the run that is worth most, question by question.

    Attributes:
        data: the suspicions about the data that were tested, by cause.
    """

    lab: Laboratory
    runner: Runner
    question: Question
    limits: Limits
    noise: Mapping[str, Any]
    split_auc: float
    evidence: Evidence
    pictures: np.ndarray | None = None
    data: dict[str, DataQuestion] = field(default_factory=dict)

    def spend(self, left: float) -> None:
        """Runs until nothing that is still open would be decided by what is left."""
        self.runner.least = left / MOST_RUNS
        for _ in range(0, MOST_RUNS, self.lab.workers):
            looks = [(self.question, self.question.look(left))]
            suspicions = self._suspicions(looks[0][1].lucks)
            looks += [(asked.question, asked.question.look(left)) for asked in suspicions if asked.trial.arms]
            chosen = together.choose(looks, left, self.lab.workers)
            if not chosen:
                break
            # A question about the data is kept from its first run on: what it is measured against stays.
            begun = {id(question) for question, _ in chosen}
            self.data |= {asked.cause.name: asked for asked in suspicions if id(asked.question) in begun}
            self._announce(sum(question.price(broken) for question, broken in chosen), left)
            left -= together.ask(chosen)
        for asked in self._suspicions(self.question.look(left).lucks):
            if not asked.trial.arms:
                self.data.setdefault(asked.cause.name, asked)

    def _announce(self, price: float, left: float) -> None:
        """Says which run comes next, of about how many, and how long what is left lasts at most."""
        runs = self.runner.runs
        dearest = max((runs[name] for name in ("recipe", "reference")), key=lambda result: result.cost)
        number = len(runs) - 1  # beside recipe and reference
        about = number + round((left - price) / max(price, self.runner.least, 1e-9))
        at_most = left * dearest.outcome.seconds / max(dearest.cost, 1e-9)
        until = f", at most {numbers.seconds(at_most)} left" if at_most >= 1 else ""
        runtime.say(f"run {number} of about {about}{until}")

    def facts(self) -> DataFacts:
        """Returns what is known about the data; what they still cost is measured against the best run."""
        runs, asked = self.runner.comparable(), self.question
        nearest = sorted(asked.results, key=lambda broken: -len(broken))
        swaps = {asked.label(broken): asked.results[broken][0] for broken in nearest}
        return gather_facts(
            self.lab,
            {"recipe": runs["recipe"], **swaps, **runs},
            self.noise,
            self.split_auc,
            self.evidence,
            self.limits.min_effect,
            self.pictures,
        )

    def _suspicions(self, lucks: tuple[float, ...]) -> list[DataQuestion]:
        """Returns the questions about the data: those that were begun, and those that something points at."""
        facts = self.facts()
        found = [
            self.data.get(cause.name) or data_question(self.runner, cause, facts, lucks)
            for cause in data_causes()
            if self.limits.factors == "all" or cause.name in self.limits.factors
        ]
        return [asked for asked in found if asked is not None]


def budget(
    recipe: Sequence[Result], reference: Sequence[Result], candidates: Sequence[float], max_cost: float
) -> float:
    """Returns what may be spent beside the two arms, in the unit of Result.cost.

    A reference that only learns a head on cached features costs nothing: then what was trained to find it, or
    the recipe's run, is the measure.

    Args:
        recipe: results of the user's arm, one per seed.
        reference: results of the reference's arm, one per seed.
        candidates: what the other candidates for the reference cost.
        max_cost: how many times what the reference takes, or the recipe's run where that is dearer.
    """
    careful = sum(candidates) + sum(result.cost for result in reference)
    return max_cost * max(careful, sum(result.cost for result in recipe)) - careful


def swaps_between(recipe: Arm, reference: Arm, rates: Rates, limits: Limits) -> Swaps:
    """Returns the arms between two, by the factors in which they differ and that can act in the recipe."""
    factors = tuple(
        factor
        for factor in recipe_factors()
        if factor.acts(recipe) and factor.is_different(recipe, reference, rates)
    )
    asked = frozenset(
        factor.name
        for factor in factors
        if limits.factors == "all" or factor.reported(recipe, reference, rates) in limits.factors
    )
    return Swaps(recipe, reference, factors, asked, rates)


def _recommended(lab: Laboratory, runner: Runner) -> Result:
    """Returns the best run that a recipe can say: one on fewer images is none, nor is a lucky seed."""
    arms = [result for result in runner.runs.values() if result.arm.seed == runner.seeds[0]]
    return best_of(lab, [result for result in arms if result.arm.images == "all"])
