"""The diagnosis: two arms, the swaps between them, the hypotheses about the data, and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from plateau_cause.causes import RECIPE_FACTORS
from plateau_cause.causes.factor import Evidence, RecipeFactor
from plateau_cause.causes.hypothesis import DataFacts, DataFinding
from plateau_cause.config.params import Diagnosis as Limits
from plateau_cause.diagnosis import budget
from plateau_cause.diagnosis.data_repairs import settle
from plateau_cause.diagnosis.evidence import best_of, gather_evidence, gather_facts
from plateau_cause.diagnosis.intervention import Investigation, investigate
from plateau_cause.diagnosis.ledger import Ledger, gain
from plateau_cause.diagnosis.repetition import further_seeds, repeat
from plateau_cause.features.views import View
from plateau_cause.lab import build
from plateau_cause.lab.arm import Arm
from plateau_cause.lab.effect import Effect, verdict
from plateau_cause.lab.laboratory import Laboratory
from plateau_cause.lab.rates import Rates
from plateau_cause.lab.store import Result

SEEDS_SHARE = 0.7  # of the budget: what further seeds of both arms may take while the verdict is undecided


@dataclass(frozen=True)
class Diagnosed:
    """Everything that the runs showed.

    Attributes:
        investigation: the swaps between recipe and reference.
        data: the hypotheses about the data that were tested.
        recommended: the best run, chosen on validation; its recipe is the one to use.
        runs: every run by name, the recipe and the reference included.
        seeds: that every arm was asked for; further ones average out luck.
        evidence, facts: what the swaps and the hypotheses were chosen by.
    """

    investigation: Investigation
    data: tuple[DataFinding, ...]
    recommended: Result
    runs: Mapping[str, Result]
    seeds: tuple[int, ...]
    evidence: Evidence
    facts: DataFacts


@dataclass
class Runner:
    """Runs arms under every seed and remembers them by name."""

    lab: Laboratory
    seeds: tuple[int, ...]
    runs: dict[str, Result]

    def all_seeds(self, arm: Arm, name: str) -> list[Result]:
        """Returns the arm's results, one per seed; the first is kept under its name."""
        results = [self.lab.run(arm.with_seed(seed), name) for seed in self.seeds]
        self.runs[name] = results[0]
        return results

    def run(self, arm: Arm, name: str) -> Result:
        """Returns the arm's result under its own seed."""
        self.runs[name] = self.lab.run(arm, name)
        return self.runs[name]

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
    candidates: Sequence[float] = (),
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
        candidates: what the other candidates for the reference cost, in the unit of Result.cost.
    """
    runner = Runner(lab, limits.seeds, {"recipe": recipe[0], "reference": reference[0]})
    evidence = gather_evidence(lab, rates, recipe[0], reference[0], views)
    total = budget.whole(recipe, reference, candidates, limits.max_cost)
    targets = lab.dataset.targets[lab.dataset.indices("test")]
    recipe, reference = _until_decided(runner, recipe, reference, targets, limits, total)
    factors = _differing(recipe[0].arm, reference[0].arm, rates)
    spent = sum(result.cost for result in [*reference, *recipe[len(limits.seeds) :]])
    arms = {"recipe": recipe[0], "reference": reference[0]}
    facts = gather_facts(lab, arms, noise, evidence, limits.min_effect)
    gap = gain(recipe, reference, targets).mean
    ledger = Ledger(
        recipe=recipe,
        reference=reference,
        factors=factors,
        rates=rates,
        run=runner.all_seeds,
        estimate=lambda arm: len(limits.seeds) * build.cost(lab, arm),
        targets=targets,
        budget=total - budget.kept_for_data(facts, limits, gap, total - spent),
        asked=_asked(factors, recipe[0].arm, reference[0].arm, rates, limits),
        spent=spent,
    )
    investigation = investigate(ledger, evidence, limits.min_effect)
    tried = {ledger.label(taken): ledger.runs[taken][0] for taken in sorted(ledger.runs, key=len)}
    # Without differences recipe and reference are one set of the ledger's, and still two runs.
    facts = gather_facts(lab, {**tried, **arms}, noise, evidence, limits.min_effect)
    data, left = settle(runner, facts, limits, further_seeds(limits.seeds), total - ledger.spent)
    ledger.budget = ledger.spent + left  # what was kept for the data and not needed
    if not ledger.closes(investigation.path, limits.min_effect):
        investigation = investigate(ledger, evidence, limits.min_effect)
    investigation = repeat(investigation, runner.run, limits.min_effect)
    recommended = _recommended(lab, runner)
    return Diagnosed(investigation, data, recommended, runner.runs, limits.seeds, evidence, facts)


def _until_decided(
    runner: Runner,
    recipe: list[Result],
    reference: list[Result],
    targets: np.ndarray,
    limits: Limits,
    total: float,
) -> tuple[list[Result], list[Result]]:
    """Returns both arms under further seeds while their distance is undecided, within SEEDS_SHARE.

    Part of an interval is the luck of one training, which more of them average out; the rest of the
    budget is for the swaps.
    """
    for seed in further_seeds(limits.seeds):
        spent = sum(result.cost for result in [*recipe, *reference])
        price = recipe[0].cost + reference[0].cost
        if verdict(gain(recipe, reference, targets), limits.min_effect) != "inconclusive":
            break
        if spent + price > SEEDS_SHARE * total + recipe[0].cost:
            break
        recipe = [*recipe, runner.run(recipe[0].arm.with_seed(seed), f"recipe, seed {seed}")]
        reference = [*reference, runner.run(reference[0].arm.with_seed(seed), f"reference, seed {seed}")]
    return recipe, reference


def _differing(recipe: Arm, reference: Arm, rates: Rates) -> list[RecipeFactor]:
    """Returns the factors in which the arms differ and that can act in the recipe."""
    return [
        factor
        for factor in RECIPE_FACTORS
        if factor.acts(recipe) and factor.is_different(recipe, reference, rates)
    ]


def _asked(
    factors: list[RecipeFactor], recipe: Arm, reference: Arm, rates: Rates, limits: Limits
) -> frozenset[str]:
    """Returns the names of the factors that `diagnosis.factors` asks about."""
    names = {factor.name: factor.reported(recipe, reference, rates) for factor in factors}
    return frozenset(name for name in names if limits.factors == "all" or names[name] in limits.factors)


def _recommended(lab: Laboratory, runner: Runner) -> Result:
    """Returns the best run that a recipe can say: one on fewer images is none, nor is a lucky seed."""
    arms = [result for result in runner.runs.values() if result.arm.seed == runner.seeds[0]]
    return best_of(lab, [result for result in arms if result.arm.images == "all"])


def reachable_gap(diagnosed: Diagnosed, targets: np.ndarray) -> Effect:
    """Returns how far the recipe stands below the recommended run, on the same test images."""
    return gain(seeds_of(diagnosed, "recipe"), seeds_of(diagnosed, recommended_name(diagnosed)), targets)


def recommended_name(diagnosed: Diagnosed) -> str:
    """Returns the name of the recommended run."""
    runs = diagnosed.runs.items()
    return next(name for name, result in runs if result.key == diagnosed.recommended.key)


def seeds_of(diagnosed: Diagnosed, name: str) -> list[Result]:
    """Returns a run under every seed of `diagnosis.seeds`, as its own metrics and predictions show it."""
    first = diagnosed.runs[name]
    alike = diagnosed.investigation.ledger.runs.values()
    found = next((results for results in alike if results[0].key == first.key), [first])
    return [result for result in found if result.arm.seed in diagnosed.seeds]
