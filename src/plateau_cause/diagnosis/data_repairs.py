"""The suspicions about the data, tested one by one, and again where one run decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from plateau_cause.causes import DATA_HYPOTHESES
from plateau_cause.causes.hypothesis import Bench, DataFacts, DataFinding, DataHypothesis
from plateau_cause.config.params import Diagnosis as Limits
from plateau_cause.lab.arm import Arm
from plateau_cause.lab.store import Result


@dataclass
class Reseeded:
    """A bench under another seed."""

    bench: Bench
    seed: int

    def run(self, arm: Arm, name: str) -> Result:
        """Returns the arm's result under this seed."""
        return self.bench.run(arm.with_seed(self.seed), f"{name}, seed {self.seed}")

    def add_subset(self, name: str, rows: np.ndarray) -> None:
        """Names a set of training rows."""
        self.bench.add_subset(name, rows)


@dataclass
class Metered:
    """A bench that counts what its runs cost: on fewer images less than the hypothesis was priced at."""

    bench: Bench
    spent: float = 0.0

    def run(self, arm: Arm, name: str) -> Result:
        """Returns the arm's result."""
        result = self.bench.run(arm, name)
        self.spent += result.cost
        return result

    def add_subset(self, name: str, rows: np.ndarray) -> None:
        """Names a set of training rows."""
        self.bench.add_subset(name, rows)


def suspected(facts: DataFacts, limits: Limits) -> list[tuple[DataHypothesis, float]]:
    """Returns the suspicions that are worth a test, the strongest first, with their price."""
    ranked = sorted(DATA_HYPOTHESES, key=lambda hypothesis: -hypothesis.suspicion(facts))
    return [
        (hypothesis, hypothesis.price(facts))
        for hypothesis in ranked
        if (limits.factors == "all" or hypothesis.name in limits.factors)
        and hypothesis.suspicion(facts) >= limits.min_effect
    ]


def settle(
    bench: Bench, facts: DataFacts, limits: Limits, further_seeds: Sequence[int], budget: float
) -> tuple[tuple[DataFinding, ...], float]:
    """Returns what the tests of the suspicions showed, as far as the budget reaches, and what is left of it.

    Args:
        bench: where they run.
        facts: what is known about the data.
        limits: the diagnosis section of params.yaml.
        further_seeds: for what one seed leaves open.
        budget: in the unit of Result.cost.
    """
    findings: list[DataFinding] = []
    for hypothesis, price in suspected(facts, limits):
        if price > budget:
            continue
        metered = Metered(bench)
        finding = hypothesis.test(metered, facts)
        budget -= metered.spent
        if finding is None:
            continue
        before = finding.before or facts.best
        again_price = metered.spent + before.cost
        for repetition, seed in enumerate(further_seeds, 1):
            if not _is_open(finding, limits) or again_price > budget:
                break
            budget -= again_price
            again = _reseeded(bench, hypothesis, replace(facts, repetition=repetition), before, seed)
            finding = finding if again is None else finding.joined(again)
        findings.append(finding)
    return tuple(findings), budget


def _is_open(finding: DataFinding, limits: Limits) -> bool:
    """Returns whether a repetition could still change what is said: neither named nor ruled out."""
    is_settled = finding.is_cause(limits.min_effect) or finding.effect.high < limits.min_effect
    return bool(finding.pairs) and not is_settled


def _reseeded(
    bench: Bench, hypothesis: DataHypothesis, facts: DataFacts, before: Result, seed: int
) -> DataFinding | None:
    """Returns the test under another seed, what it is measured against included."""
    name = facts.learner_name if before.key == facts.learner.key else "best"
    again = bench.run(before.arm.with_seed(seed), f"{name}, seed {seed}")
    learner = again if before.key == facts.learner.key else facts.learner
    best = again if before.key == facts.best.key else facts.best
    return hypothesis.test(Reseeded(bench, seed), replace(facts, learner=learner, best=best))
