"""What a cause on the recipe's side is: what it looks at, what it swaps, what it says.

To add one: a file beside this one with a `FACTOR`, a test, a case in the fault suite. Nothing lists them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from plateau_cause.causes.words import Words
from plateau_cause.config.recipe import get, put
from plateau_cause.lab.arm import Arm

LARGE = 0.1  # of accuracy: a probe that is so far ahead is taken at its word


@dataclass(frozen=True)
class Evidence:
    """What is known before anything is swapped; accuracies 0..1 on validation images.

    Attributes:
        gap: reference minus recipe.
        train_accuracy, val_accuracy: of the recipe's kept epoch.
        train_loss: of the recipe's last epoch, in training mode.
        probe_recipe, probe_canonical, probe_random: linear probes on the frozen features under the recipe's
            preprocessing, under the canonical one, and of random weights.
        rate_ratio: the recipe's learning rate over that of the reference, both relative to their optimum.
        steps_ratio: optimiser steps of the recipe over those of the reference.
        num_classes: number of classes.
        sorted_share: share of neighbours in the training order with equal labels.
        imbalance: largest class over smallest class among the training images.
        unreached: parameters of the user's network that no gradient reaches.
    """

    gap: float
    train_accuracy: float
    val_accuracy: float
    train_loss: float
    probe_recipe: float
    probe_canonical: float
    probe_random: float
    reference_val: float
    rate_ratio: float
    steps_ratio: float
    num_classes: int
    sorted_share: float
    imbalance: float
    unreached: tuple[str, ...] = ()

    @property
    def beyond_frozen(self) -> float:
        """Returns how far the reference leaves the best probe on frozen features behind, 0..1 of `LARGE`."""
        return min(1.0, max(0.0, (self.reference_val - self.probe_canonical) / LARGE))


class Rates(Protocol):
    """Carries learning rates from one arm to another by their ratio to the optimum."""

    def ratio(self, arm: Arm) -> float:
        """Returns the arm's rate over its optimum."""
        ...

    def carry(self, before: Arm, after: Arm, ratio: float | None = None) -> Arm:
        """Returns `after` with the ratio of `before`, or with this ratio."""
        ...


Swap = Callable[[Arm, Arm, Rates], Arm]


def take(keys: tuple[str, ...], pieces: frozenset[str] = frozenset()) -> Swap:
    """Returns a swap that takes these keys, and these pieces of the user's code, from the other arm."""

    def swap(arm: Arm, other: Arm, rates: Rates) -> Arm:
        recipe = put(arm.recipe, {key: get(other.recipe, key) for key in keys})
        return replace(arm, recipe=recipe, own=(arm.own - pieces) | (other.own & pieces))

    return swap


def with_freed_rate(arm: Arm, swapped: Arm, other: Arm, rates: Rates) -> Arm:
    """Returns `swapped`, which moves other parameters than `arm`, under a rate that is not held against it.

    The arm's number, kept, means one rate relative to the optimum of what moves now, and its old meaning,
    kept, another: of those between the two the one nearest to the other arm's. A number chosen for the wrong
    parameters was never wrong itself.
    """
    low, high = sorted((rates.ratio(arm), rates.ratio(swapped)))
    if low == high:
        return swapped
    return rates.carry(arm, swapped, ratio=min(max(rates.ratio(other), low), high))


@dataclass(frozen=True)
class RecipeFactor:
    """One factor in which a recipe and the reference may differ.

    Attributes:
        name: the cause it is reported as, unless `cause` says otherwise.
        order: where several are swapped at once, the lowest first: what moves comes before how fast it moves.
        words: the cause in plain words; `cause_words` by cause, where there are several.
        keys: the recipe's keys that it moves; a difference in any of them makes the factor differ. Without
            any, a difference in `pieces` does.
        carried: keys that come along but mean nothing alone (optimiser name, schedule shape).
        pieces: pieces of the user's code that it moves.
        prior: the probability, before any swap, that the difference costs accuracy worth reporting.
        swap: (arm, other, rates) -> the arm with this factor as in `other`; None: takes the keys.
        acts: whether the factor has any effect in this arm; one without travels with what wakes it.
        explain: sentences for the summary, from recipe arm, reference arm and evidence.
        cause: the name to report, where it depends on the direction of the difference.
        entries: the params.yaml entries of the fix, where they are not the keys that differ.
        difference_words: the difference in words, where it is not one of keys.
    """

    name: str
    order: int
    words: Words
    keys: tuple[str, ...]
    prior: Callable[[Arm, Arm, Evidence], float]
    explain: Callable[[Arm, Arm, Evidence], list[str]]
    carried: tuple[str, ...] = ()
    pieces: frozenset[str] = frozenset()
    swap: Swap | None = None
    differs: Callable[[Arm, Arm, Rates], bool] | None = None
    acts: Callable[[Arm], bool] = lambda arm: True
    cause: Callable[[Arm, Arm, Rates], str] | None = None
    cause_words: Mapping[str, Words] = field(default_factory=dict)
    entries: Callable[[Arm, Arm], dict[str, Any]] | None = None
    difference_words: Callable[[Arm, Arm], str] | None = None

    def is_different(self, arm: Arm, other: Arm, rates: Rates) -> bool:
        """Returns whether the two arms differ in this factor."""
        if self.differs is not None:
            return self.differs(arm, other, rates)
        if not self.keys:
            return bool(self.pieces & (arm.own ^ other.own))
        return bool(differing(self.keys, arm, other))

    def swapped(self, arm: Arm, other: Arm, rates: Rates) -> Arm:
        """Returns `arm` with this factor as in `other`."""
        swap = self.swap or take(self.keys + self.carried, self.pieces)
        return swap(arm, other, rates)

    def reported(self, arm: Arm, other: Arm, rates: Rates) -> str:
        """Returns the cause name for this difference."""
        return self.cause(arm, other, rates) if self.cause is not None else self.name

    def said(self, cause: str) -> Words:
        """Returns the plain words for one of its causes."""
        return self.cause_words.get(cause, self.words)

    def difference(self, arm: Arm, other: Arm) -> str:
        """Returns the difference in words: "mean: null instead of [0.5, 0.5, 0.5]"."""
        if self.difference_words is not None:
            return self.difference_words(arm, other)
        keys = [*self.keys, *(key for key in self.carried if get(arm.recipe, key) != get(other.recipe, key))]
        words = [
            f"{key}: {show(get(arm.recipe, key))} instead of {show(get(other.recipe, key))}"
            for key in differing(tuple(keys), arm, other)
        ]
        return "; ".join(words) or f"{self.keys[0]}: the same number, for other parameters"

    def fix(self, arm: Arm, fixed: Arm) -> dict[str, Any]:
        """Returns the params.yaml entries that turn `arm` into `fixed`."""
        if self.entries is not None:
            return self.entries(arm, fixed)
        keys = differing(self.keys + self.carried + ("optimizer.learning_rate",), arm, fixed)
        return {f"recipe.{key}": plain(get(fixed.recipe, key)) for key in keys}


def differing(keys: tuple[str, ...], arm: Arm, other: Arm) -> list[str]:
    """Returns the keys whose values differ."""
    return [key for key in dict.fromkeys(keys) if get(arm.recipe, key) != get(other.recipe, key)]


def show(value: Any) -> str:
    """Returns a value as params.yaml would write it."""
    if value is None:
        return "null"
    if isinstance(value, tuple):
        return "[" + ", ".join(f"{item:g}" for item in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def plain(value: Any) -> Any:
    """Returns a value in plain YAML types."""
    return list(value) if isinstance(value, tuple) else value
