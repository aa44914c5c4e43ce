"""What one run leaves open about the data is tested again, as far as the budget reaches."""

from dataclasses import replace

import numpy as np
import pytest
from tiny import make_arm, make_result

from plateau_cause.causes.hypothesis import DataFacts, DataFinding, DataHypothesis
from plateau_cause.config.params import Diagnosis
from plateau_cause.diagnosis import data_repairs
from plateau_cause.lab.effect import Effect, effect

N = 100


def hit(share):
    return (np.arange(N) < share * N).astype(float)


class Bench:
    """Every run hits half of the images."""

    def __init__(self):
        self.names = []

    def run(self, arm, name):
        self.names.append(name)
        return make_result(arm, hit(0.5))

    def add_subset(self, name, rows):
        pass


@pytest.fixture
def facts():
    recipe = make_result(make_arm(), hit(0.5))
    best = replace(make_result(make_arm({"batch_size": 7}), hit(0.5)), key="best")
    rows = np.arange(N)
    return DataFacts(
        learner=replace(recipe, key="recipe", cost=1.0),
        learner_name="recipe",
        best=replace(best, cost=1.0),
        train_accuracy=1.0,
        test_accuracy=0.5,
        min_effect=0.03,
        targets=np.zeros(N, np.int64),
        train=rows,
        val=rows,
        test=rows,
        noise={"rate": 0.0, "flagged": []},
        noise_held_out=0.0,
        imbalance=1.0,
        probe=0.7,
        probe_random=0.4,
        classes=("a", "b"),
    )


@pytest.fixture
def settled(facts, monkeypatch):
    """Returns a function: gains by repetition and the budget to the finding and the names of the runs."""

    def settle(gains, budget, in_recipe=True, carry=None):
        waiting = list(gains)

        def test(bench, given):
            before = given.learner if in_recipe else given.best
            bench.run(before.arm, f"repaired {given.repetition}")
            seen = hit(0.5).astype(bool), hit(0.5 + waiting.pop(0)).astype(bool)
            return DataFinding(
                "label_noise",
                effect([seen]),
                ["One.", "Two."],
                {},
                ["a run"],
                pairs=(seen,),
                before=before if in_recipe else None,
                carry=carry,
            )

        asked = DataHypothesis("label_noise", lambda facts: 0.2, test)
        monkeypatch.setattr(data_repairs, "DATA_HYPOTHESES", [asked])
        bench = Bench()
        findings, _ = data_repairs.settle(bench, facts, Diagnosis(), [1, 2], budget)
        return findings, bench.names

    return settle


def test_what_is_named_is_left_alone(settled):
    (finding,), names = settled([0.3], 10.0)
    assert names == ["repaired 0"] and len(finding.pairs) == 1


def test_what_one_training_shows_by_a_hair_is_tested_again(settled):
    (finding,), names = settled([0.06, 0.08], 10.0)
    assert 0.021 < finding.effect.low < 0.03 and len(names) == 3
    assert finding.is_cause(0.03) and not replace(finding, pairs=finding.pairs[:1]).is_cause(0.03)


def test_what_is_ruled_out_is_left_alone(settled):
    assert settled([-0.2], 10.0)[1] == ["repaired 0"]


def test_an_open_one_is_averaged_over_seeds(settled):
    (finding,), names = settled([0.04, 0.2], 10.0)
    assert names == ["repaired 0", "recipe, seed 1", "repaired 1, seed 1"]
    assert len(finding.pairs) == 2 and finding.effect.mean == pytest.approx(0.12)
    assert finding.evidence[0] == "One." and "Over 2 repetitions" in finding.evidence[1]
    assert finding.runs == ["a run", "a run"]


def test_the_best_run_is_reseeded_where_it_is_the_measure(settled):
    _, names = settled([0.04, 0.2], 10.0, in_recipe=False)
    assert names == ["repaired 0", "best, seed 1", "repaired 1, seed 1"]


def test_what_is_carried_on_stays_carried_on(settled):
    def double(change):
        return Effect(2 * change.mean, 2 * change.error, 2 * change.low, 2 * change.high)

    (finding,), _ = settled([0.02, 0.2], 10.0, carry=double)
    assert finding.effect.mean == pytest.approx(0.22)


@pytest.mark.parametrize(("budget", "runs"), [(0.5, 0), (2.5, 1), (3.0, 3)])
def test_as_far_as_the_budget_reaches(settled, budget, runs):
    assert len(settled([0.04, 0.2, 0.2], budget)[1]) == runs


def test_only_what_is_asked_for(settled, facts, monkeypatch):
    settled([], 0.0)
    assert [h.name for h, _ in data_repairs.suspected(facts, Diagnosis())] == ["label_noise"]
    assert not data_repairs.suspected(facts, Diagnosis(factors=("limited_data",)))
