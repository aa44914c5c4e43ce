"""Evidence of a plateau, learning rates with known optima, and what every recipe factor must do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pytest
from tiny import FixedRates, make_arm, make_result

from plateau_cause.causes.factor import Evidence, RecipeFactor
from plateau_cause.causes.trial import DataCause, DataFacts, Trial
from plateau_cause.config.params import Params
from plateau_cause.config.schema import leaves
from plateau_cause.lab.arm import Arm
from plateau_cause.lab.belief import Belief

N = 60


@pytest.fixture
def evidence() -> Evidence:
    return Evidence(
        gap=0.3,
        train_accuracy=0.6,
        val_accuracy=0.55,
        train_loss=1.0,
        probe_recipe=0.5,
        probe_canonical=0.7,
        probe_random=0.4,
        reference_val=0.9,
        rate_ratio=0.05,
        steps_ratio=0.2,
        num_classes=3,
        sorted_share=0.9,
        imbalance=4.0,
    )


@pytest.fixture
def rates() -> FixedRates:
    return FixedRates()


def flat(arm: Arm) -> dict[str, Any]:
    """Returns every value of an arm under its dotted key."""
    values = asdict(arm)
    recipe = values.pop("recipe")
    for key, value in recipe.items():
        if isinstance(value, dict):
            values |= {f"{key}.{inner}": v for inner, v in value.items()}
        else:
            values[key] = value
    return values


def changed(arm: Arm, other: Arm) -> set[str]:
    """Returns the keys in which two arms differ."""
    one, two = flat(arm), flat(other)
    return {key for key in one if one[key] != two[key]}


@pytest.fixture
def check_factor(rates, evidence) -> Callable[..., Arm]:
    """Returns a check of one planted difference; it gives back the recipe with the difference taken away."""

    def check(
        factor: RecipeFactor,
        fault: dict[str, Any],
        taken: set[str],
        cause: str | None = None,
        arm: dict[str, Any] | None = None,
        **attributes: Any,
    ) -> Arm:
        """Plants the fault in the recipe; `taken` are the keys that the swap may and must change."""
        base = {"trainable": "all", **(arm or {})}
        recipe, sound = make_arm({**base, **fault}, **attributes), make_arm(base)
        # The reference differs in everything else too: none of that may come along.
        others = {
            "optimizer.weight_decay": 0.07,
            "batch_size": 48,
            "schedule.epochs": 6,
            "augmentation": "flip",
        }
        others |= {
            "loss.label_smoothing": 0.05,
            "head.dropout": 0.4,
            "preprocessing.size": 24,
            "shuffle": False,
        }
        moved = {*taken, *factor.keys, *factor.carried}
        reference = make_arm({**base, **{key: v for key, v in others.items() if key not in moved}})
        assert factor.is_different(recipe, sound, rates)
        assert not factor.is_different(sound, sound, rates)
        assert factor.swapped(sound, sound, rates) == sound
        swapped = factor.swapped(recipe, reference, rates)
        assert changed(recipe, swapped) == taken
        assert not factor.is_different(swapped, reference, rates)
        broken = factor.swapped(reference, recipe, rates)
        assert factor.is_different(broken, reference, rates)
        assert not changed(broken, reference) - taken
        assert factor.reported(recipe, reference, rates) == (cause or factor.name)
        sentences = factor.explain(recipe, reference, evidence)
        assert sentences and all(len(sentence) > 30 and sentence.endswith(".") for sentence in sentences)
        assert "instead of" in factor.difference(recipe, reference)
        assert 0 < factor.prior(recipe, reference, evidence) < 1
        assert all(factor.said(cause or factor.name))
        known = {key.name for key in leaves(Params)}
        assert set(factor.fix(recipe, swapped)) <= known
        assert set(factor.fix(recipe, swapped)) == {_entry(key) for key in taken}
        return swapped

    return check


def _entry(key: str) -> str:
    return "backbone.weights" if key == "weights" else f"recipe.{key}"


@pytest.fixture
def make_facts() -> Callable[..., DataFacts]:
    """Returns a maker of facts about 120 training and 60 test images, all labelled 0."""

    def make(arm: Arm | None = None, accuracy: float = 0.7, **values: Any) -> DataFacts:
        hit = (np.arange(N) < accuracy * N).astype(float)
        given = {
            "learner": make_result(arm or make_arm(), hit),
            "learner_name": "recipe",
            "best": make_result(arm or make_arm(), hit),
            "train_accuracy": 1.0,
            "test_accuracy": float(hit.mean()),
            "min_effect": 0.03,
            "targets": np.zeros(3 * N, np.int64),
            "train": np.arange(2 * N),
            "val": np.arange(2 * N, 3 * N),
            "test": np.arange(2 * N, 3 * N),
            "noise": {"rate": 0.0, "flagged": []},
            "noise_held_out": 0.0,
            "imbalance": 1.0,
            "probe": 0.7,
            "probe_random": 0.4,
            "classes": ("a", "b"),
        }
        return DataFacts(**{**given, **values})

    return make


@dataclass(frozen=True)
class Tried:
    """What a cause on the data's side says once its trial was run.

    Attributes:
        trial: the experiment.
        measured: what the repaired side is ahead by, on the images that tell.
        reported: what that comes to.
        evidence, fix, levels: as in the cause's own file.
    """

    trial: Trial
    measured: Belief
    reported: Belief
    evidence: list[str]
    fix: Mapping[str, Any]
    levels: Mapping[str, float]


@pytest.fixture
def try_cause() -> Callable[..., Tried]:
    """Returns a runner of a cause's trial whose changed arm hits these test images, or so large a share."""

    def attempt(cause: DataCause, facts: DataFacts, hits: Any = None) -> Tried:
        """Measures the change exactly, as if images and luck left no doubt."""
        trial = cause.trial(facts)
        assert trial is not None
        assert (trial.after is None) == bool(trial.arms)
        after = trial.after if hits is None else hits
        if isinstance(after, float):
            after = np.arange(len(facts.test)) < after * len(facts.test)
        change = trial.seen(np.asarray(after, float)).mean() - trial.seen(facts.hits(trial.base)).mean()
        measured = exactly(float(change if trial.repairs else -change))
        reported = trial.carried(measured)
        evidence = cause.explain(facts, trial, measured)
        assert evidence and all(len(sentence) > 30 and sentence.endswith(".") for sentence in evidence)
        return Tried(
            trial,
            measured,
            reported,
            evidence,
            cause.fix(facts, trial),
            cause.levels(facts, trial, reported),
        )

    return attempt


def exactly(number: float) -> Belief:
    """Returns the belief that a number is this, to a thousandth."""
    return Belief(np.ones(1), np.array([number]), np.array([0.001]))
