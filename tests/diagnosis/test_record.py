"""A diagnosis as plain types: complete, and the same after a round trip through JSON."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from plateau_cause.diagnosis.finding import Finding
from plateau_cause.diagnosis.ledger import Ledger
from tiny import FixedRates, make_arm, make_result

from plateau_cause import artifacts
from plateau_cause.causes import frozen_layers, head, weights_not_loaded
from plateau_cause.config.params import Recipe
from plateau_cause.diagnosis import record
from plateau_cause.lab import store
from plateau_cause.lab.effect import Effect

GOOD = {"schedule.epochs": 8, "optimizer.learning_rate": 0.01, "schedule.name": "cosine"}


@pytest.fixture
def diagnosed_and_lab(diagnose_tiny):
    return diagnose_tiny(
        make_arm({**GOOD, "trainable": "none", "optimizer.learning_rate": 0.1, "shuffle": False}),
        make_arm(GOOD),
    )


@pytest.fixture
def found(diagnosed_and_lab):
    diagnosed, lab = diagnosed_and_lab
    data = lab.dataset
    return record.record(diagnosed, data.targets, data.indices("val"), data.indices("test"), 0.03)


def test_is_plain_and_complete(found):
    assert json.loads(json.dumps(artifacts.plain(found))) == artifacts.plain(found)
    assert found["verdict"] == "plateau"
    assert found["gap"]["ci"][0] > 0
    assert found["test_images"] == 18
    assert {swap["cause"] for swap in found["swaps"]} == {"frozen_layers", "data_order"}
    names = {run["name"] for run in found["runs"]}
    assert found["recommended"]["name"] in names
    assert set(found["seconds"]) == names
    for swap in found["swaps"]:
        assert set(swap["runs"]) <= names
        assert swap["evidence"] and swap["fix"]
        assert 0 <= swap["probability"] <= 1
        assert swap["ci"][0] <= swap["effect"] <= swap["ci"][1]


def test_the_swap_that_matters(found):
    swap = next(swap for swap in found["swaps"] if swap["cause"] == "frozen_layers")
    assert swap["difference"].startswith("trainable: none instead of all")
    assert swap["fix"]["recipe.trainable"] == "all"
    assert swap["effect"] == max(s["effect"] for s in found["swaps"])
    assert any(sentence.startswith("Fixed in the recipe: test accuracy +") for sentence in swap["evidence"])


def test_runs_hold_what_the_run_measured(found, diagnosed_and_lab, tiny_dataset):
    diagnosed, _ = diagnosed_and_lab
    targets = tiny_dataset.targets[tiny_dataset.indices("test")]
    for run in found["runs"]:
        result = diagnosed.runs[run["name"]]
        assert run["test_accuracy"] == pytest.approx(result.correct(targets).mean())
        assert run["epochs"] == len(result.outcome.history)
    recipe = next(run for run in found["runs"] if run["name"] == "recipe")
    assert recipe["train_accuracy"] == diagnosed.runs["recipe"].outcome.history[-1]["train_accuracy"]


def test_curves_of_all_runs(diagnosed_and_lab):
    diagnosed, _ = diagnosed_and_lab
    curves = record.curves(diagnosed)
    assert set(curves["arm"]) == set(diagnosed.runs)
    assert len(curves) == 8 * len(diagnosed.runs)
    assert curves.columns.tolist() == ["arm", *store.CURVES]


def ledger(factors, recipe, reference):
    hit = np.ones(4)
    return Ledger(
        recipe=[make_result(recipe, hit)],
        reference=[make_result(reference, hit)],
        factors=factors,
        rates=FixedRates(),
        run=lambda arm, name: [make_result(arm, hit)],
        estimate=lambda arm: 0.0,
        targets=np.zeros(4, np.int64),
        budget=0.0,
        asked=frozenset(factor.name for factor in factors),
    )


class TestFix:
    def test_names_the_keys_of_params(self):
        recipe = make_arm({"trainable": "head", "optimizer.learning_rate": 0.05})
        game = ledger([frozen_layers.FACTOR, head.FACTOR], recipe, make_arm({"batch_norm": "frozen"}))
        assert record._fix(frozen_layers.FACTOR, recipe, game) == {
            "recipe.trainable": "all",
            "recipe.batch_norm": "frozen",
            "recipe.optimizer.learning_rate": pytest.approx(5e-3),
        }

    def test_points_into_the_users_file_where_that_decides(self):
        recipe = make_arm({"head.activation": "softmax"}, own=frozenset({"model", "activation"}))
        fix = record._fix(
            head.FACTOR, recipe, ledger([head.FACTOR, frozen_layers.FACTOR], recipe, make_arm())
        )
        assert fix == {"recipe.code": "in your file: head.activation: null instead of softmax"}

    def test_weights_that_the_users_file_does_not_load(self):
        recipe = make_arm(weights="none", own=frozenset({"model", "weights"}))
        fix = record._fix(
            weights_not_loaded.FACTOR, recipe, ledger([weights_not_loaded.FACTOR], recipe, make_arm())
        )
        assert fix == {"recipe.code": "in your file: weights: bundled instead of none"}


class TestDirections:
    def said(self, forward, backward):
        finding = Finding(head.FACTOR, forward or backward, forward, backward, jointly=False, behind=())
        game = SimpleNamespace(everything=frozenset({"head", "loss_function"}))
        return " ".join(record._directions(finding, game))

    def test_each_that_was_measured(self):
        assert self.said(Effect(0.1, 0.02, 0.06, 0.14), None) == (
            "Fixed in the recipe: test accuracy +0.100 [+0.060, +0.140]."
        )
        assert "Broken in the reference: test accuracy -0.100 [-0.140, -0.060]." in self.said(
            None, Effect(0.1, 0.02, 0.06, 0.14)
        )

    def test_a_masked_factor_names_the_others(self):
        small, large = Effect(0.01, 0.01, -0.01, 0.03), Effect(0.3, 0.02, 0.26, 0.34)
        assert "masked by another difference (loss_function)" in self.said(small, large)
        assert "masked" not in self.said(large, large)


def test_the_users_file_only_where_it_is_in_force():
    own = make_arm({"code": "mine.py"}, own=frozenset({"loss"}))
    assert record.recipe_record(own)["code"] == "mine.py"
    assert record.recipe_record(make_arm({"code": "mine.py"}))["code"] is None
    assert set(record.recipe_record(own)) == set(Recipe.__dataclass_fields__)
