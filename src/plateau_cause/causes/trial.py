"""What a cause on the data's side is: how likely it is by what is known, and the run that tests it.

To add one: a file beside this one with a `DATA_CAUSE`, a test, a case in the fault suite. Nothing lists them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from plateau_cause import numbers
from plateau_cause.causes.words import Words
from plateau_cause.lab.arm import Arm
from plateau_cause.lab.belief import Belief
from plateau_cause.lab.store import Result


@dataclass(frozen=True)
class Larger:
    """What larger images promise.

    Attributes:
        original_px, stored_px: median longer side of the images, as they are and as they are stored.
        expected_px: that the weights expect.
        gained: validation accuracy that a linear probe on frozen features gains from twice the input size.
    """

    original_px: int
    stored_px: int
    expected_px: int
    gained: float


@dataclass(frozen=True)
class DataFacts:
    """What is known about the data before anything is run for it.

    Attributes:
        learner: the user's run or, where that hardly learns, the swap nearest to it that does.
        learner_name: of that run.
        best: the best run so far; what the data still costs is measured against it.
        train_accuracy, test_accuracy: of its kept epoch, 0..1.
        min_effect: the smallest change of accuracy worth reporting.
        targets: (N,) labels of the manifest.
        train, val, test: manifest rows.
        noise: label noise among the training labels: rate, interval, overlap_rate, the `flagged` images.
        noise_held_out: share of wrong labels among validation and test images.
        imbalance: largest class over smallest class among the training images.
        probe, probe_random: linear probes on pretrained and on random features (validation accuracy).
        classes: names.
        split_auc: of a classifier between training and test images; 0.5: nothing tells them apart.
        pictures: (N,) the same number for images that are copies or near copies; None: all differ.
        larger: how large the images are and what larger ones promise; None: not looked at.
        is_part: whether these are a part of the user's images, drawn to be cheap.
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
    split_auc: float = 0.5
    pictures: np.ndarray | None = None
    larger: Larger | None = None
    is_part: bool = False

    @property
    def different(self) -> np.ndarray:
        """Returns (N,) a number per image, the same for copies and near copies."""
        return np.arange(len(self.targets)) if self.pictures is None else self.pictures

    @property
    def headroom(self) -> float:
        """Returns what is left to the ceiling."""
        return 1.0 - self.test_accuracy

    def hits(self, result: Result) -> np.ndarray:
        """Returns (n_test,) booleans of a run."""
        return result.correct(self.targets[self.test])


@dataclass(frozen=True)
class Trial:
    """The experiment that tests a cause: a run beside one that was made, and nothing else changed.

    Attributes:
        base: the run that was made.
        base_name: its name.
        name: of the changed run.
        arms: what to run, in turn where it is repeated; none where outputs of the base are read differently.
        subsets: training rows by name, that the arms learn from.
        repairs: whether the change takes away what is suspected; False: it makes it worse.
        after: (n_test,) hits of the base read differently, where nothing is run.
        counted: (n_test,) the test images that tell; None: all.
        carried: from the change that is measured to the effect that is reported.
        is_partial: whether surely more is wrong than the change takes away: then it acquits nobody.
        facts: numbers for the sentences of the cause's own file.
    """

    base: Result
    base_name: str
    name: str
    arms: tuple[Arm, ...] = ()
    subsets: Mapping[str, np.ndarray] = field(default_factory=dict)
    repairs: bool = True
    after: np.ndarray | None = None
    counted: np.ndarray | None = None
    carried: Callable[[Belief], Belief] = lambda measured: measured
    is_partial: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)

    def seen(self, hits: np.ndarray) -> np.ndarray:
        """Returns the hits on the images that tell."""
        return hits if self.counted is None else hits[self.counted]


@dataclass(frozen=True)
class DataCause:
    """One way in which the data may hold accuracy down.

    Attributes:
        name: the cause it is reported as.
        words: the cause in plain words.
        prior: the probability, before any run, that it costs accuracy worth reporting; 0: not asked.
        trial: the experiment; None where there is nothing to change.
        explain: sentences for the summary, from facts, trial and the change that was measured.
        fix: what to do, params.yaml entries or words.
        levels: further levels for the summary, such as the ceiling that label noise sets.
        kind: where the fix stands: in the data, or in the recipe.
    """

    name: str
    words: Words
    prior: Callable[[DataFacts], float]
    trial: Callable[[DataFacts], Trial | None]
    explain: Callable[[DataFacts, Trial, Belief], list[str]]
    fix: Callable[[DataFacts, Trial], Mapping[str, Any]]
    levels: Callable[[DataFacts, Trial, Belief], Mapping[str, float]] = lambda facts, trial, effect: {}
    kind: str = "data"


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


def stratified_half(labels: np.ndarray) -> np.ndarray:
    """Returns (n,) whether an image is in the first of two halves: every other one of each class."""
    first = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        first[np.flatnonzero(labels == label)[::2]] = True
    return first


def points(change: Belief) -> str:
    """Returns a change of test accuracy in words: "+8.2 points [5.9, 10.6]"."""
    return numbers.points_with_interval(change.mean, change.interval())
