"""A diagnosis as plain types: complete, and the same after a round trip through JSON."""

import json
from dataclasses import replace

import numpy as np
import pytest
from tiny import FixedRates, make_arm, make_result

from plateau_cause import artifacts
from plateau_cause.causes import frozen_layers, head, weights_not_loaded
from plateau_cause.config.recipe import Recipe
from plateau_cause.diagnosis import finding_record, record, repair
from plateau_cause.diagnosis.decision import corners
from plateau_cause.diagnosis.diagnose import Diagnosed
from plateau_cause.diagnosis.game import Game
from plateau_cause.diagnosis.posterior import posterior
from plateau_cause.diagnosis.prior import hypotheses
from plateau_cause.diagnosis.questions import REST, Swaps
from plateau_cause.diagnosis.verdict import Finding, judge
from plateau_cause.lab.belief import Belief
from plateau_cause.lab.store import CURVES

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
    assert {item["cause"] for item in found["findings"]} == {"frozen_layers", "data_order"}
    names = {run["name"] for run in found["runs"]}
    assert found["recommended"]["name"] in names
    assert set(found["seconds"]) == names
    for item in found["findings"]:
        assert set(item["runs"]) <= names
        assert item["standing"] in ("cause", "harmless", "undecided")
        assert item["evidence"] and item["fix"] and item["title"] and item["repair"]
        assert 0 <= item["probability"] <= 1
        assert item["ci"][0] <= item["effect"] <= item["ci"][1]


def test_the_swap_that_matters(found):
    item = next(item for item in found["findings"] if item["cause"] == "frozen_layers")
    assert item["difference"].startswith("trainable: none instead of all")
    assert item["fix"]["recipe.trainable"] == "all"
    assert item["effect"] == max(other["effect"] for other in found["findings"])
    said = " ".join(item["evidence"])
    assert "Fixed alone in the recipe: test accuracy +" in said or "Broken alone in the reference" in said


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
    curves = record.curves(diagnosed.runs)
    assert set(curves["arm"]) == set(diagnosed.runs)
    assert len(curves) == 8 * len(diagnosed.runs)
    assert curves.columns.tolist() == ["arm", *CURVES]


def between(factors, recipe, reference):
    """Returns a diagnosis of which only the two arms are known."""
    swaps = Swaps(
        recipe, reference, tuple(factors), frozenset(factor.name for factor in factors), FixedRates()
    )
    return Diagnosed(swaps, None, None, (), make_result(recipe, np.ones(4)), {}, (0,), None, None)


class TestFix:
    def test_names_the_keys_of_params(self):
        recipe = make_arm({"trainable": "head", "optimizer.learning_rate": 0.05})
        diagnosed = between([frozen_layers.FACTOR, head.FACTOR], recipe, make_arm({"batch_norm": "frozen"}))
        assert repair.fix(frozen_layers.FACTOR, diagnosed) == {
            "recipe.trainable": "all",
            "recipe.batch_norm": "frozen",
            "recipe.optimizer.learning_rate": pytest.approx(5e-3),
        }

    def test_points_into_the_users_file_where_that_decides(self):
        recipe = make_arm({"head.activation": "softmax"}, own=frozenset({"model", "activation"}))
        diagnosed = between([head.FACTOR, frozen_layers.FACTOR], recipe, make_arm())
        assert repair.fix(head.FACTOR, diagnosed) == {
            "recipe.code": "in your file: head.activation: null instead of softmax"
        }

    def test_weights_that_the_users_file_does_not_load(self):
        recipe = make_arm(weights="none", own=frozenset({"model", "weights"}))
        diagnosed = between([weights_not_loaded.FACTOR], recipe, make_arm())
        assert repair.fix(weights_not_loaded.FACTOR, diagnosed) == {
            "recipe.code": "in your file: weights: bundled instead of none"
        }


def test_what_nobody_asks_about_is_swapped_together_and_accuses_nobody(diagnose_tiny):
    recipe = make_arm({**GOOD, "trainable": "none", "loss.label_smoothing": 0.02})
    diagnosed, lab = diagnose_tiny(recipe, make_arm(GOOD), factors=("regularization",))
    data = lab.dataset
    found = record.record(diagnosed, data.targets, data.indices("val"), data.indices("test"), 0.03)
    rest = next(item for item in found["findings"] if item["factor"] == REST)
    assert rest["standing"] == "undecided" and rest["fix"] == {}


def test_an_interval_stays_within_what_accuracy_can_change():
    wide = Belief(np.array([1.0]), np.array([0.9]), np.array([0.3]))
    assert record.belief_record(wide, 0.03)["ci"][1] == 1.0


def test_the_users_file_only_where_it_is_in_force():
    own = make_arm({}, own=frozenset({"loss"}))  # a reference that keeps a piece declares no file
    assert record.recipe_record(own, "mine.py")["code"] == "mine.py"
    assert record.recipe_record(make_arm({"code": "mine.py"}), "mine.py")["code"] is None
    assert set(record.recipe_record(own, "mine.py")) == set(Recipe.__dataclass_fields__)


def test_functions_of_which_nothing_is_kept_are_told():
    given = make_arm({}, own=frozenset({"loss", "model", "weights", "transform", "augmentation"}))
    kept = make_arm({}, own=frozenset({"model", "weights", "augmentation"}))
    assert record.left_out(kept, given) == ["loss"]
    assert record.left_out(given, given) == record.left_out(make_arm({}), given) == []


def test_what_a_kept_function_decides_has_to_be_changed_there():
    own = frozenset({"transform", "augmentation", "evaluation", "model", "trainable"})
    given = make_arm({"augmentation": "random, as in your file"}, own=own)
    kept = make_arm({"augmentation": "none", "trainable": "all"}, own=frozenset({"transform", "model"}))
    assert record.in_file(kept, given) == [
        {"function": "transform", "what": "augmentation", "value": "none"},
        {"function": "transform", "what": "evaluation", "value": "as in training"},
        {"function": "build_model", "what": "trainable", "value": "all"},
    ]
    assert record.in_file(given, given) == record.in_file(make_arm({}), given) == []


def test_harmless_only_where_the_interval_that_is_shown_says_so(found):
    random = np.random.default_rng(0)
    seen = set()
    for _ in range(300):
        belief = Belief(
            random.dirichlet(np.ones(3)), random.normal(0, 0.05, 3), random.uniform(0.001, 0.05, 3)
        )
        finding = Finding("head", "harmless", belief, belief, 0.01, 0.0)
        standing = finding_record._standing(finding, 0.03)
        seen.add(standing)
        assert (standing == "harmless") == (finding_record.belief_record(belief, 0.03)["ci"][1] < 0.03)
    assert seen == {"harmless", "undecided"}


def test_layers_that_nobody_calls_are_the_optimizers_fault(diagnosed_and_lab):
    """A new classifier under a name that forward() does not use: unfreezing the rest would train the old."""
    diagnosed, lab = diagnosed_and_lab
    still = {"epoch": 1, "block": "head", "gradient_norm": 0.0, "update_ratio": 0.0}
    recipe = diagnosed.runs["recipe"]
    stuck = replace(recipe, outcome=replace(recipe.outcome, signals=[still]))
    evidence = replace(diagnosed.evidence, unreached=("classifier.weight", "classifier.bias"))
    changed = replace(diagnosed, evidence=evidence, runs={**diagnosed.runs, "recipe": stuck})
    data = lab.dataset
    made = record.record(changed, data.targets, data.indices("val"), data.indices("test"), 0.03)
    item = next(item for item in made["findings"] if item["factor"] == "frozen_layers")
    assert item["cause"] == "optimizer_parameters" and item["title"].startswith("The optimizer")
    assert "classifier.weight, classifier.bias" in item["evidence"][0]
    assert "forward()" in item["fix"]["recipe.code"]


@pytest.mark.parametrize("factors", ["ab", "abc"])
def test_from_nothing_to_everything_is_no_more_than_everything(factors):
    """Labels one off in a small test set: 0 % against 100 %, where a Gaussian reaches beyond."""
    game = Game(tuple(factors), (0.9,) * len(factors))
    for broken in (factors, "", factors, "", "a"):
        game = game.with_run(frozenset(broken), np.full(200, float("a" not in broken)), has_learned=True)
    sets = corners(game)
    judged = judge(game, posterior(game, sets, hypotheses(game.active)), sets, 0.03)
    assert judged.gap.interval()[1] > 1.0
    told = record.belief_record(judged.gap, 0.03)
    assert all(-1.0 <= value <= 1.0 for value in (told["effect"], *told["ci"]))
