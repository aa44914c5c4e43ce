"""The whole diagnosis on real, tiny runs: what was planted is found, what was not is not."""

from types import SimpleNamespace

import numpy as np
import pytest
from tiny import CLEAN, make_arm, make_result

from plateau_cause.config.params import Diagnosis
from plateau_cause.diagnosis import evidence
from plateau_cause.diagnosis.diagnose import Runner, _recommended, _until_decided, reachable_gap, seeds_of

GOOD = {
    "schedule.epochs": 8,
    "optimizer.learning_rate": 0.01,
    "schedule.name": "cosine",
    "schedule.keep": "best",
}


def effects(diagnosed):
    return {finding.factor.name: finding.effect for finding in diagnosed.investigation.findings}


@pytest.fixture
def targets(tiny_dataset):
    return tiny_dataset.targets[tiny_dataset.indices("test")]


@pytest.mark.parametrize(
    ("fault", "factor"),
    [
        ({"trainable": "none"}, "frozen_layers"),
        ({"optimizer.weight_decay": 100.0}, "regularization"),
        ({"optimizer.learning_rate": 1e-6}, "learning_rate"),
    ],
)
def test_a_planted_fault_is_found_beside_a_harmless_difference(diagnose_tiny, targets, fault, factor):
    recipe, reference = make_arm({**GOOD, **fault, "sampler": "balanced"}), make_arm(GOOD)
    diagnosed, _ = diagnose_tiny(recipe, reference)
    assert diagnosed.investigation.verdict == "plateau"
    found = effects(diagnosed)
    assert factor in diagnosed.investigation.path
    assert max(found, key=lambda name: found[name].mean) == factor
    assert found[factor].low > 0
    assert (
        diagnosed.recommended.correct(targets).mean()
        >= diagnosed.runs["reference"].correct(targets).mean() - 0.12
    )
    assert reachable_gap(diagnosed, targets).low > 0


def test_equal_recipes_run_nothing(diagnose_tiny):
    diagnosed, _ = diagnose_tiny(make_arm(GOOD), make_arm(GOOD))
    assert diagnosed.investigation.verdict == "healthy"
    assert diagnosed.investigation.findings == ()
    assert set(diagnosed.runs) == {"recipe", "reference"}
    assert diagnosed.data == ()


def test_a_harmless_difference_is_not_blamed(diagnose_tiny):
    diagnosed, _ = diagnose_tiny(make_arm({**GOOD, "optimizer.weight_decay": 0.02}), make_arm(GOOD))
    assert diagnosed.investigation.verdict != "plateau"
    assert all(effect.low <= 0 for effect in effects(diagnosed).values())


def test_only_what_is_asked_is_swapped(diagnose_tiny):
    fault = {"trainable": "none", "loss.label_smoothing": 0.02}
    diagnosed, _ = diagnose_tiny(make_arm({**GOOD, **fault}), make_arm(GOOD), factors=("regularization",))
    assert diagnosed.investigation.gap.low > 0
    (finding,) = diagnosed.investigation.findings
    assert finding.factor.name == "regularization"
    assert finding.effect.low <= 0


def test_a_difference_that_cannot_act_is_left_out(diagnose_tiny):
    diagnosed, _ = diagnose_tiny(
        make_arm({**GOOD, "trainable": "head", "batch_norm": "frozen"}), make_arm(GOOD)
    )
    assert "batch_norm" not in effects(diagnosed)
    assert "frozen_layers" in effects(diagnosed)


def test_the_budget_holds(diagnose_tiny):
    fault = {"trainable": "none", "shuffle": False, "loss.name": "mse", "head.activation": "relu"}
    diagnosed, _ = diagnose_tiny(make_arm({**GOOD, **fault}), make_arm(GOOD), max_cost=2.0)
    reference = diagnosed.runs["reference"].cost
    assert diagnosed.investigation.ledger.spent <= 2.0 * reference


def test_every_seed_is_run_and_counts(diagnose_tiny):
    recipe = make_arm({**GOOD, "trainable": "none", "shuffle": False})
    diagnosed, _ = diagnose_tiny(recipe, make_arm(GOOD), seeds=(0, 1))
    assert all(len(results) == 2 for results in diagnosed.investigation.ledger.runs.values())


def test_what_is_known_before_anything_is_swapped(diagnose_tiny, tiny_dataset):
    recipe = make_arm({**GOOD, "optimizer.learning_rate": 1e-5, "schedule.epochs": 2})
    diagnosed, _ = diagnose_tiny(recipe, make_arm(GOOD))
    evidence = diagnosed.evidence
    assert evidence.rate_ratio == pytest.approx(1e-3)
    assert evidence.steps_ratio == pytest.approx(0.25)
    assert evidence.num_classes == 3
    assert evidence.imbalance == 1.0
    assert evidence.sorted_share == pytest.approx(51 / 53)  # sorted by class
    assert evidence.gap == pytest.approx(evidence.reference_val - evidence.val_accuracy)
    assert evidence.probe_recipe == evidence.probe_canonical > evidence.probe_random - 0.3
    last = diagnosed.runs["recipe"].outcome.history[-1]
    assert (evidence.train_loss, evidence.train_accuracy) == (last["train_loss"], last["train_accuracy"])
    assert np.array_equal(diagnosed.facts.test, tiny_dataset.indices("test"))


def test_a_recipe_that_diverged_is_diagnosed_also_from_disk(diagnose_tiny, tmp_path):
    exploding = make_arm(
        {
            **GOOD,
            "optimizer.name": "sgd",
            "optimizer.learning_rate": 1000.0,
            "loss.name": "mse",
            "batch_norm": "frozen",
        }
    )
    for _ in range(2):  # the second time what was finished is read from the folder
        diagnosed, _ = diagnose_tiny(exploding, make_arm(GOOD), tmp_path)
        assert np.isnan(diagnosed.evidence.train_loss)
        assert diagnosed.investigation.verdict == "plateau"
        assert len(diagnosed.runs["recipe"].outcome.history) < 8


def test_a_lucky_seed_is_not_recommended(monkeypatch):
    accuracy = {0: 0.8, 1: 0.9}
    monkeypatch.setattr(evidence, "validation", lambda lab, result: accuracy[result.arm.seed])
    runs = {f"reference, seed {seed}": make_result(make_arm().with_seed(seed), np.ones(4)) for seed in (1, 0)}
    assert _recommended(None, Runner(None, (0,), runs)).arm.seed == 0


def test_what_is_verified_is_what_the_arms_own_metrics_show():
    runs = [make_result(make_arm().with_seed(seed), np.ones(4)) for seed in (0, 1)]
    ledger = SimpleNamespace(runs={frozenset(): runs})
    diagnosed = SimpleNamespace(
        runs={"recipe": runs[0]}, seeds=(0,), investigation=SimpleNamespace(ledger=ledger)
    )
    assert [result.arm.seed for result in seeds_of(diagnosed, "recipe")] == [0]


class TestFurtherSeeds:
    """Both arms are trained again while their distance is undecided and the budget allows it."""

    def until_decided(self, gained, budget, n=40):
        """Returns how often each arm was trained; the reference hits `gained` of n images more."""
        before = np.arange(n) < n // 2
        after = np.arange(n) < n // 2 + gained
        after[:2] = False  # two are lost
        recipe, reference = make_result(make_arm(), before, 0.0), make_result(make_arm(), after)
        again = SimpleNamespace(run=lambda arm, name: recipe if name.startswith("recipe") else reference)
        limits = Diagnosis(min_effect=0.03)
        found = _until_decided(again, [recipe], [reference], np.zeros(n, int), limits, budget)
        return [len(results) for results in found]

    def test_none_where_it_is_decided(self):
        assert self.until_decided(gained=12, budget=9.0) == [1, 1]
        assert self.until_decided(gained=2, budget=9.0) == [1, 1]  # healthy

    def test_up_to_three_where_it_is_not(self):
        assert self.until_decided(gained=4, budget=9.0) == [3, 3]

    def test_as_far_as_the_budget_reaches(self):
        assert self.until_decided(gained=4, budget=3.0) == [2, 2]
        assert self.until_decided(gained=4, budget=1.0) == [1, 1]


class TestData:
    def test_suspected_labels_are_set_aside(self, diagnose_tiny, tiny_dataset):
        rows = tiny_dataset.indices("train")[:6]
        noise = {
            "train": {
                "rate": 0.11,
                "interval": [0.05, 0.2],
                "flagged": [{"row": int(row), "kind": "noise"} for row in rows],
            },
            "held_out": {"rate": 0.1},
        }
        short = {**GOOD, "schedule.epochs": 2}
        diagnosed, lab = diagnose_tiny(make_arm(short), make_arm(short), noise=noise)
        found = {finding.cause: finding for finding in diagnosed.data}
        assert "label_noise" in found
        assert len(lab.subsets["without flagged labels"]) == 48
        assert "recipe - flagged labels" in diagnosed.runs
        assert diagnosed.recommended.arm.images == "all"  # fewer images are no recipe

    def test_clean_data_are_not_suspected(self, diagnose_tiny):
        diagnosed, _ = diagnose_tiny(make_arm(GOOD), make_arm(GOOD), noise=CLEAN)
        assert "label_noise" not in {finding.cause for finding in diagnosed.data}
