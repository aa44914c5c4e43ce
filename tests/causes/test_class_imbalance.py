"""Classes of very different size: as a difference between recipes, and as a matter of the data."""

from dataclasses import replace

import numpy as np
import pytest
from tiny import make_arm

from plateau.causes.class_imbalance import FACTOR, HYPOTHESIS, corrected


def test_is_swapped_alone(check_factor):
    check_factor(FACTOR, {"sampler": "balanced"}, {"sampler"})


def test_suspect_where_classes_differ_in_size(evidence):
    even = replace(evidence, imbalance=1.1)
    assert FACTOR.suspicion(make_arm(), make_arm(), even) < FACTOR.suspicion(make_arm(), make_arm(), evidence)


def test_rare_classes_are_drawn_as_often(make_facts, make_bench):
    facts, bench = make_facts(imbalance=8.0), make_bench(0.9)
    assert HYPOTHESIS.suspicion(facts) > facts.min_effect
    finding = HYPOTHESIS.test(bench, facts)
    assert finding.effect.mean == pytest.approx(0.2)
    assert finding.fix == {"recipe.sampler": "balanced"}
    (arm,) = bench.runs.values()
    assert arm == make_arm({"sampler": "balanced"})
    assert finding.runs == list(bench.runs)
    assert "8.0 times" in finding.evidence[0]


def test_outputs_that_carry_the_shares_are_corrected(make_facts, make_bench):
    """Evidence of 1 for the right class, on top of what a 9 : 1 training set puts into every output."""
    labels = np.repeat([0, 1], 30)
    train = np.repeat([0, 1], [108, 12])
    outputs = np.eye(2)[labels] * 1.0 + np.log([0.9, 0.1])
    facts = make_facts(imbalance=9.0)
    outcome = replace(facts.best.outcome, val_outputs=outputs, test_outputs=outputs)
    facts = replace(facts, best=replace(facts.best, outcome=outcome), targets=np.concatenate([train, labels]))
    bench = make_bench(0.9)
    finding = HYPOTHESIS.test(bench, facts)
    assert not bench.runs
    assert finding.effect.mean == pytest.approx(0.5)
    assert "log(share of the class" in finding.fix["data"] and "0.500 to 1.000" in finding.evidence[0]
    assert np.allclose(corrected(outputs, np.array([0.9, 0.1]), 1.0), np.eye(2)[labels])


@pytest.mark.parametrize(("imbalance", "sampler"), [(1.2, "uniform"), (8.0, "balanced")])
def test_no_suspicion(make_facts, imbalance, sampler):
    facts = make_facts(make_arm({"sampler": sampler}), imbalance=imbalance)
    assert HYPOTHESIS.suspicion(facts) == 0
