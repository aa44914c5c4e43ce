"""Learning rates as ratios: a rate means something only for the parameters and optimiser it moves."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace

from plateau_cause.config.recipe import Head, Loss, Schedule, get, put
from plateau_cause.lab import build, range_test, store
from plateau_cause.lab.arm import Arm
from plateau_cause.lab.laboratory import Laboratory

BATCH_SIZE = 32
TRUSTED_DECADES = 1.0  # how far from the usual rate the range test is believed
# Usual peak rates when a pretrained network is fine-tuned (all, last_block) or gets a new head (head).
USUAL = {
    "adamw": {"head": 3e-3, "last_block": 1e-3, "all": 5e-4},
    "adam": {"head": 3e-3, "last_block": 1e-3, "all": 5e-4},
    "rmsprop": {"head": 1e-3, "last_block": 2e-4, "all": 2e-4},
    "sgd": {"head": 1e-1, "last_block": 3e-2, "all": 2e-2},
}


@dataclass
class Rates:
    """Range-test optima of one laboratory, each measured once."""

    lab: Laboratory
    seconds: float = 0.0  # spent on range tests
    _optima: dict[str, float] = field(default_factory=dict)

    def optimum(self, arm: Arm) -> float:
        """Returns the learning rate that suits the arm's moving parameters under its optimiser."""
        plain = _plain(arm)
        key = plain.digest(f"{self.lab.context(plain)}/optimum")
        if key not in self._optima:
            found = store.recall(self.lab.folders(), key)
            if found is None:
                found = self._measure(plain)
                store.remember(self.lab.folder, key, found)
            self._optima[key] = found["optimum"]
            self.seconds += found["seconds"]
        return self._optima[key]

    def ratio(self, arm: Arm) -> float:
        """Returns the arm's learning rate as a multiple of its optimum."""
        return arm.recipe.optimizer.learning_rate / self.optimum(arm)

    def carry(self, before: Arm, after: Arm, ratio: float | None = None) -> Arm:
        """Returns `after` under the learning rate that has the ratio of `before` to its own optimum."""
        if ratio is None and _plain(before) == _plain(after):
            return after
        rate = (self.ratio(before) if ratio is None else ratio) * self.optimum(after)
        recipe = put(after.recipe, {"optimizer.learning_rate": float(f"{rate:.3g}")})
        return replace(after, recipe=recipe, own=after.own - {"learning_rate"})

    def _measure(self, plain: Arm) -> dict[str, float]:
        started = time.perf_counter()
        rate = self._range_test(plain)
        return {"optimum": rate, "seconds": time.perf_counter() - started}

    def _range_test(self, plain: Arm) -> float:
        usual = USUAL[plain.recipe.optimizer.name][plain.recipe.trainable]
        usual *= (
            (1.0 - plain.recipe.optimizer.momentum) / 0.1 if plain.recipe.optimizer.name == "sgd" else 1.0
        )
        task = build.task(self.lab, plain, "learning-rate range test")
        if task.optimizer is None:
            return usual
        found = range_test.optimum(task)
        if found is None:
            return usual
        trusted = min(max(found, usual / 10**TRUSTED_DECADES), usual * 10**TRUSTED_DECADES)
        return math.sqrt(trusted * usual)  # two noisy witnesses weigh the same, in decades


def moving(arm: Arm) -> str:
    """Returns which parameters the arm really moves: head | last_block | all; head where it moves none.

    A user's model that trains some part of its body, declared nowhere, counts as all.
    """
    trainable = str(arm.recipe.trainable)
    if trainable in ("none", "head") or get(arm.recipe, "optimizer.parameters") == "head":
        return "head"
    return trainable if trainable == "last_block" else "all"


def _plain(arm: Arm) -> Arm:
    """Returns the arm reduced to what decides its best learning rate."""
    optimizer = replace(arm.recipe.optimizer, learning_rate=1e-3, weight_decay=0.0, parameters="trainable")
    if optimizer.name not in USUAL:
        optimizer = replace(optimizer, name="adamw")
    if optimizer.name not in ("sgd", "rmsprop"):
        optimizer = replace(optimizer, momentum=0.9)
    recipe = replace(
        arm.recipe,
        augmentation="none",
        batch_norm="frozen",
        trainable=moving(arm),
        head=Head(),
        loss=Loss(),
        schedule=Schedule(epochs=1),
        optimizer=optimizer,
        batch_size=BATCH_SIZE,
        shuffle=True,
        sampler="uniform",
    )
    return Arm(recipe=recipe, weights=arm.weights, own=arm.own & {"model", "weights", "transform"}, seed=0)
