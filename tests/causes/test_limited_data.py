"""Too few training images."""

from dataclasses import replace

import numpy as np
import pytest
from tiny import make_arm

from plateau_cause.causes import class_overlap, label_noise
from plateau_cause.causes.limited_data import HYPOTHESIS, carried_on, half
from plateau_cause.lab.effect import Effect


def test_half_of_the_images_for_as_many_steps(make_facts, make_bench):
    facts, bench = make_facts(accuracy=0.8), make_bench(0.6)
    assert HYPOTHESIS.suspicion(facts) == pytest.approx(0.1)
    finding = HYPOTHESIS.test(bench, facts)
    ((name, arm),) = bench.runs.items()
    assert arm == make_arm({"schedule.epochs": 4}, images="half")
    assert bench.subsets["half"].tolist() == list(range(0, 120, 2))
    assert finding.runs == [name]
    assert finding.effect.mean == pytest.approx(0.15)  # 0.6 -> 0.8 -> 0.9 -> 0.95 by either law
    assert finding.levels == {"more_data": pytest.approx(0.95)}
    assert "about 480 for training instead of 120" in finding.fix["data"]
    assert "+0.200" in finding.evidence[0]


def test_repeated_on_the_other_half(make_facts, make_bench):
    facts, bench = replace(make_facts(accuracy=0.8), repetition=1), make_bench(0.6)
    finding = HYPOTHESIS.test(bench, facts)
    assert bench.subsets["other half"].tolist() == list(range(1, 120, 2))
    assert finding.runs == ["best - other half of the images"]
    first = HYPOTHESIS.test(bench, make_facts(accuracy=0.8))
    assert first.joined(finding).effect.mean == pytest.approx(first.effect.mean)


def test_as_good_with_half_of_them(make_facts, make_bench):
    finding = HYPOTHESIS.test(make_bench(0.8), make_facts(accuracy=0.8))
    assert finding.effect.mean == 0
    assert finding.effect.low <= 0


@pytest.mark.parametrize(
    "values", [{"train_accuracy": 0.7}, {"accuracy": 0.97}, {"train_accuracy": 0.75, "accuracy": 0.7}]
)
def test_no_suspicion_where_training_images_are_not_memorised(make_facts, values):
    facts = make_facts(**values)
    assert HYPOTHESIS.suspicion(facts) < facts.min_effect


@pytest.mark.parametrize("module", [class_overlap, label_noise])
def test_labels_that_nobody_could_know_are_no_gap(make_facts, monkeypatch, module):
    facts = make_facts(accuracy=0.8)
    assert HYPOTHESIS.suspicion(facts) > facts.min_effect
    explaining = replace(module.HYPOTHESIS, suspicion=lambda facts: 0.18)
    monkeypatch.setattr(module, "HYPOTHESIS", explaining)
    assert HYPOTHESIS.suspicion(facts) == 0


def test_what_rare_classes_lose_is_not_counted(make_facts, make_bench):
    targets = np.zeros(180, np.int64)
    targets[[118, 119, *range(150, 180)]] = (
        1  # two training images of the second class, half of the test images
    )
    facts = make_facts(accuracy=0.5, targets=targets, imbalance=59.0)
    assert HYPOTHESIS.suspicion(facts) == 0
    finding = HYPOTHESIS.test(make_bench(0.25), facts)
    ((before, after),) = finding.pairs
    assert before.sum() == 15 and after.sum() == 30 and not after[30:].any()
    assert finding.effect.mean == pytest.approx(0.0, abs=1e-5)  # the common class misses nothing


def test_every_class_keeps_half_and_at_least_one():
    targets = np.array([0, 0, 0, 0, 1, 2, 2, 9])
    rows = np.array([6, 5, 4, 3, 2, 1, 0])
    assert half(rows, targets).tolist() == [6, 4, 3, 1]
    assert half(rows, targets, 1).tolist() == [5, 4, 2, 0]


class TestCarriedOn:
    def test_the_mean_of_two_laws(self):
        steep = carried_on(Effect(0.3, 0.02, 0.26, 0.34), accuracy=0.9)
        assert steep.mean == pytest.approx((0.1 + 0.1 - 0.1**3 / 0.4**2) / 2)
        slow = carried_on(Effect(0.02, 0.01, 0.0, 0.04), accuracy=0.7)
        assert slow.mean == pytest.approx((0.015 + 0.3 - 0.3**3 / 0.32**2) / 2)

    def test_never_promises_more_than_is_left(self):
        for gain in (0.01, 0.1, 0.5):
            for accuracy in (0.5, 0.9, 0.999, 1.0):
                found = carried_on(Effect(gain, 0.01, gain - 0.02, gain + 0.02), accuracy)
                assert 0 <= found.mean <= 1 - accuracy + 1e-6

    def test_a_loss_stays_a_loss(self):
        assert carried_on(Effect(-0.02, 0.01, -0.04, 0.0), 0.8).mean == pytest.approx(-0.015)
