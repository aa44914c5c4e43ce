"""Pretrained features that do not fit the domain."""

import pytest
from tiny import make_arm

from plateau_cause.causes.feature_misalignment import HYPOTHESIS


def test_random_weights_do_better(make_facts, make_bench):
    facts, bench = make_facts(probe=0.5, probe_random=0.65), make_bench(0.9)
    assert HYPOTHESIS.suspicion(facts) == pytest.approx(0.15)
    finding = HYPOTHESIS.test(bench, facts)
    assert finding.effect.mean == pytest.approx(0.2)
    assert list(bench.runs.values()) == [make_arm({"batch_norm": "train"}, weights="none")]
    assert finding.runs == list(bench.runs)
    assert finding.fix["backbone.weights"].startswith("none")
    assert "0.500" in finding.evidence[0] and "0.650" in finding.evidence[0]


@pytest.mark.parametrize(
    ("arm", "values"),
    [
        (make_arm(), {"probe": 0.7, "probe_random": 0.4}),
        (make_arm(weights="none"), {"probe": 0.4, "probe_random": 0.6}),
        (make_arm(own=frozenset({"model"})), {"probe": 0.4, "probe_random": 0.6}),
        (make_arm(), {"accuracy": 0.99, "probe": 0.4, "probe_random": 0.6}),
    ],
)
def test_no_suspicion(make_facts, arm, values):
    facts = make_facts(arm, **values)
    assert HYPOTHESIS.suspicion(facts) < facts.min_effect
