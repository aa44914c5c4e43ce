"""The whole diagnosis on real, tiny runs: what was planted is found, what was not is not."""

from types import SimpleNamespace

import numpy as np
import pytest
from tiny import CLEAN, make_arm, make_result

from plateau_cause.config.params import Diagnosis
from plateau_cause.diagnosis import diagnose as module
from plateau_cause.diagnosis import evidence
from plateau_cause.diagnosis.diagnose import Runner, Search, _recommended, budget
from plateau_cause.diagnosis.questions import REST
from plateau_cause.lab import build
from plateau_cause.lab.effort import MOST_RUNS

GOOD = {
    "schedule.epochs": 8,
    "optimizer.learning_rate": 0.01,
    "schedule.name": "cosine",
    "schedule.keep": "best",
}


def findings(diagnosed):
    return {finding.factor: finding for finding in diagnosed.verdict.findings}


def causes(diagnosed):
    return [finding.factor for finding in diagnosed.verdict.causes]


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
    assert diagnosed.verdict.verdict == "plateau"
    assert causes(diagnosed) == [factor]
    found = findings(diagnosed)
    assert max(found, key=lambda name: found[name].need.mean) == factor
    assert found[factor].need.interval()[0] > 0
    assert (
        diagnosed.recommended.correct(targets).mean()
        >= diagnosed.runs["reference"].correct(targets).mean() - 0.12
    )
    assert diagnosed.verdict.gap.interval()[0] > 0


def test_equal_recipes_run_nothing(diagnose_tiny):
    diagnosed, _ = diagnose_tiny(make_arm(GOOD), make_arm(GOOD))
    assert diagnosed.verdict.verdict == "healthy"
    assert diagnosed.verdict.findings == ()
    assert set(diagnosed.runs) == {"recipe", "reference"}
    assert diagnosed.data == ()


def test_a_harmless_difference_is_not_blamed(diagnose_tiny):
    diagnosed, _ = diagnose_tiny(make_arm({**GOOD, "optimizer.weight_decay": 0.02}), make_arm(GOOD))
    assert diagnosed.verdict.verdict != "plateau"
    assert not causes(diagnosed)
    assert all(finding.need.interval()[0] <= 0 for finding in findings(diagnosed).values())


def test_only_what_is_asked_is_swapped(diagnose_tiny):
    fault = {"trainable": "none", "loss.label_smoothing": 0.02}
    diagnosed, _ = diagnose_tiny(make_arm({**GOOD, **fault}), make_arm(GOOD), factors=("regularization",))
    assert diagnosed.verdict.gap.interval()[0] > 0
    found = findings(diagnosed)
    assert set(found) == {"regularization", REST}  # whoever is not asked about moves with the others
    assert found["regularization"].need.interval()[0] <= 0
    assert "regularization" not in causes(diagnosed)
    arms = [result.arm.recipe for name, result in diagnosed.runs.items() if "regularization" in name]
    assert all(recipe.trainable in ("none", "all") for recipe in arms)


def test_a_difference_that_cannot_act_is_left_out(diagnose_tiny):
    diagnosed, _ = diagnose_tiny(
        make_arm({**GOOD, "trainable": "head", "batch_norm": "frozen"}), make_arm(GOOD)
    )
    assert "batch_norm" not in findings(diagnosed)
    assert "frozen_layers" in findings(diagnosed)


FAULTS = {"trainable": "none", "shuffle": False, "loss.name": "mse", "head.activation": "relu"}


@pytest.mark.parametrize("max_cost", [1.5, 3.0])
def test_the_budget_holds(diagnose_tiny, max_cost):
    diagnosed, lab = diagnose_tiny(make_arm({**GOOD, **FAULTS}), make_arm(GOOD), max_cost=max_cost)
    dearest = max(diagnosed.runs[name].cost for name in ("recipe", "reference"))
    spent = sum(result.cost for name, result in diagnosed.runs.items() if name != "recipe")
    assert spent <= max_cost * dearest + 1e-9
    for result in diagnosed.runs.values():
        assert result.cost == pytest.approx(build.cost(lab, result.arm))  # as was said before


@pytest.mark.parametrize(
    ("recipe", "reference", "candidates", "left"),
    [
        ([1.0], [1.0], [], 2.0),
        ([1.0], [0.5], [], 2.5),
        ([0.5], [1.0], [0.25, 2.0], 2 * (1.0 + 2.25)),  # finding the reference took as much
        ([1.0, 1.0], [1.0, 1.0], [], 4.0),
        ([1.0], [0.0], [], 3.0),  # a reference that learns a head on cached features
    ],
)
def test_what_is_left_is_a_multiple_of_what_the_reference_takes(recipe, reference, candidates, left):
    sides = [[SimpleNamespace(cost=cost) for cost in costs] for costs in (recipe, reference)]
    assert budget(*sides, candidates, 3.0) == pytest.approx(left)


def test_every_seed_is_run_and_counts(diagnose_tiny):
    recipe = make_arm({**GOOD, "trainable": "none", "shuffle": False})
    diagnosed, _ = diagnose_tiny(recipe, make_arm(GOOD), seeds=(0, 1))
    results = diagnosed.question.results
    assert all({result.arm.seed for result in found} >= {0, 1} for found in results.values())
    assert len(diagnosed.question.game.runs) == sum(map(len, results.values()))


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
    verdicts = []
    for _ in range(2):  # the second time what was finished is read from the folder
        diagnosed, _ = diagnose_tiny(exploding, make_arm(GOOD), tmp_path)
        assert np.isnan(diagnosed.evidence.train_loss)
        assert diagnosed.verdict.verdict == "plateau"
        assert len(diagnosed.runs["recipe"].outcome.history) < 8
        verdicts.append([(f.factor, f.standing, f.probability) for f in diagnosed.verdict.findings])
    assert verdicts[0] == verdicts[1]


def test_a_lucky_seed_is_not_recommended(monkeypatch):
    accuracy = {0: 0.8, 1: 0.9}
    monkeypatch.setattr(evidence, "validation", lambda lab, result: accuracy[result.arm.seed])
    runs = {f"reference, seed {seed}": make_result(make_arm().with_seed(seed), np.ones(4)) for seed in (1, 0)}
    assert _recommended(None, Runner(None, (0,), runs)).arm.seed == 0


class TestData:
    def noise(self, rows):
        return {
            "train": {
                "rate": 0.11,
                "interval": [0.05, 0.2],
                "flagged": [{"row": int(row), "kind": "noise"} for row in rows],
            },
            "held_out": {"rate": 0.1},
        }

    def test_suspected_labels_are_set_aside(self, diagnose_tiny, tiny_dataset):
        rows = tiny_dataset.indices("train")[:6]
        short = {**GOOD, "schedule.epochs": 2}
        diagnosed, lab = diagnose_tiny(make_arm(short), make_arm(short), noise=self.noise(rows))
        assert "label_noise" in {asked.cause.name for asked, _ in diagnosed.data}
        assert len(lab.subsets["without flagged labels"]) == 48
        assert "recipe - flagged labels" in diagnosed.runs
        assert diagnosed.recommended.arm.images == "all"  # fewer images are no recipe

    def test_only_what_is_asked_is_suspected(self, diagnose_tiny, tiny_dataset):
        rows = tiny_dataset.indices("train")[:6]
        short = {**GOOD, "schedule.epochs": 2}
        diagnosed, _ = diagnose_tiny(
            make_arm(short), make_arm(short), noise=self.noise(rows), factors=("limited_data",)
        )
        assert "label_noise" not in {asked.cause.name for asked, _ in diagnosed.data}
        assert "recipe - flagged labels" not in diagnosed.runs

    def test_clean_data_are_not_suspected(self, diagnose_tiny):
        diagnosed, _ = diagnose_tiny(make_arm(GOOD), make_arm(GOOD), noise=CLEAN)
        assert "label_noise" not in {asked.cause.name for asked, _ in diagnosed.data}

    def test_labels_are_asked_of_the_swap_nearest_to_the_recipe_that_learns(self):
        """The recipe itself does not learn: what was run to find out why comes before the reference."""
        names, n = ("a", "b", "c"), 10
        accuracy = {"abc": 0.1, "": 0.9, "a": 0.8, "ab": 0.7}
        results = {
            frozenset(word): [make_result(make_arm(), np.arange(n) < value * n)]
            for word, value in accuracy.items()
        }
        label = lambda broken: {names: "recipe", (): "reference"}.get(tuple(sorted(broken)), str(len(broken)))  # noqa: E731
        runs = {label(broken): found[0] for broken, found in results.items()}
        seen = []
        search = Search(
            None,
            Runner(None, (0,), runs),
            SimpleNamespace(results=results, label=label),
            Diagnosis(),
            {},
            0.5,
            None,
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "gather_facts", lambda lab, runs, *others: seen.extend(runs))
            search.facts()
        assert seen == ["recipe", "2", "1", "reference"]


def test_runs_that_cost_nothing_are_counted_too(diagnose_tiny):
    """Nothing moves in half of the sets: their runs are free, and would be repeated for ever."""
    diagnosed, _ = diagnose_tiny(make_arm({**GOOD, **FAULTS}), make_arm(GOOD), max_cost=12.0)
    assert 4 < len(diagnosed.question.game.runs) <= 2 + MOST_RUNS
    for found in diagnosed.question.results.values():  # a set that is run again, under a further seed
        assert len({result.arm.seed for result in found}) == len(found)
