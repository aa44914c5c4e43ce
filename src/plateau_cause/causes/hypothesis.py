"""What a cause on the data's side is: a suspicion raised by the evidence, and a controlled run that tests it.

To add one: a file beside this one with a `HYPOTHESIS`, a line in the registry, a test, a case in the
fault suite.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from plateau_cause.lab.arm import Arm
from plateau_cause.lab.effect import Effect, Pair, effect
from plateau_cause.lab.store import Result


@dataclass(frozen=True)
class DataFacts:
    """What is known about the data before anything is run for it.

    Attributes:
        learner: the user's run or, where that hardly learns, the swap nearest to it that does.
        learner_name: of that run.
        best: the best run so far; what the data still costs is measured against it.
        train_accuracy, test_accuracy: of its kept epoch, 0..1.
        headroom: 1 - test_accuracy.
        min_effect: the smallest change of accuracy worth reporting.
        targets: (N,) labels of the manifest.
        train, val, test: manifest rows.
        noise: label noise among the training labels: rate, interval, overlap_rate, the `flagged` images.
        noise_held_out: share of wrong labels among validation and test images.
        imbalance: largest class over smallest class among the training images.
        probe, probe_random: linear probes on pretrained and on random features (validation accuracy).
        classes: names.
        repetition: how often the test was made before, for one that draws other images each time.
    """

    learner: Result
    learner_name: str
    best: Result
    train_accuracy: float
    test_accuracy: float
    min_effect: float
    targets: np.ndarray
    train: np.ndarray
    val: np.ndarray
    test: np.ndarray
    noise: Mapping[str, Any]
    noise_held_out: float
    imbalance: float
    probe: float
    probe_random: float
    classes: tuple[str, ...]
    repetition: int = 0

    @property
    def headroom(self) -> float:
        """Returns what is left to the ceiling."""
        return 1.0 - self.test_accuracy


class Bench(Protocol):
    """Where a hypothesis runs its experiment."""

    def run(self, arm: Arm, name: str) -> Result:
        """Returns the arm's result."""
        ...

    def add_subset(self, name: str, rows: np.ndarray) -> None:
        """Names a set of training rows, for `Arm.images`."""
        ...


@dataclass(frozen=True)
class DataFinding:
    """A tested hypothesis.

    Attributes:
        cause: contract name.
        effect: on test accuracy, paired.
        evidence: sentences.
        fix: what to do, params.yaml entries or words.
        runs: names of the runs behind it.
        levels: further levels for the summary, such as the ceiling that label noise sets.
        pairs: hits before and after on the test images, where the effect is their difference.
        carry: from that difference to the effect, where it is carried on to more than was measured.
        before: the run that the effect is one on; None: the best.
        is_partial: whether surely more is wrong than could be taken away for the test.
    """

    cause: str
    effect: Effect
    evidence: list[str]
    fix: Mapping[str, Any]
    runs: list[str]
    levels: Mapping[str, float] = field(default_factory=dict)
    pairs: tuple[Pair, ...] = ()
    carry: Callable[[Effect], Effect] | None = None
    before: Result | None = None
    is_partial: bool = False

    def is_cause(self, min_effect: float) -> bool:
        """Returns whether the effect is sure and worth reporting.

        An interval knows the luck of the images, not that of the trainings. Where there is one on each side,
        all of it has to lie above `min_effect`; over k repetitions that luck is 1/√k.
        """
        least = min_effect / math.sqrt(len(self.pairs)) if self.pairs else 0.0
        return self.effect.mean >= min_effect and self.effect.low > least

    def is_open(self, min_effect: float) -> bool:
        """Returns whether it may be a cause without being shown to be one."""
        possible = self.effect.high if self.is_partial else self.effect.mean
        return possible >= min_effect and not self.is_cause(min_effect)

    def joined(self, other: DataFinding) -> DataFinding:
        """Returns the finding with a repetition of the same test: averaged image by image."""
        pairs = self.pairs + other.pairs
        change = effect(pairs) if self.carry is None else self.carry(effect(pairs))
        interval = f"{change.mean:+.3f} [{change.low:+.3f}, {change.high:+.3f}]"
        again = f"Over {len(pairs)} repetitions of the test: {interval}."
        evidence = [*self.evidence[:1], again]
        return replace(self, effect=change, pairs=pairs, evidence=evidence, runs=self.runs + other.runs)


@dataclass(frozen=True)
class DataHypothesis:
    """One way in which the data may hold the accuracy down.

    Attributes:
        name: the cause it is reported as.
        suspicion: expected gain of accuracy (0..1); 0 or less: not raised, nothing is run.
        test: runs the experiment; None where it showed nothing to measure.
        price: what the test's runs will cost, in the unit of Result.cost; by default as much as the best run.
    """

    name: str
    suspicion: Callable[[DataFacts], float]
    test: Callable[[Bench, DataFacts], DataFinding | None]
    price: Callable[[DataFacts], float] = lambda facts: facts.best.cost


def hits(result: Result, facts: DataFacts) -> np.ndarray:
    """Returns (n_test,) booleans of a run."""
    return result.correct(facts.targets[facts.test])


def on_subset(arm: Arm, name: str, images: int, of: int) -> Arm:
    """Returns the arm that learns from a named subset of its images, in as many steps.

    Args:
        arm: learns from all images.
        name: of the subset.
        images: how many are in it.
        of: how many there are.
    """
    schedule = replace(arm.recipe.schedule, epochs=math.ceil(arm.recipe.schedule.epochs * of / images))
    return replace(arm, images=name, recipe=replace(arm.recipe, schedule=schedule))


def pair(before: Result, after: Result, facts: DataFacts) -> Pair:
    """Returns the two runs' hits on the test images."""
    return hits(before, facts), hits(after, facts)
