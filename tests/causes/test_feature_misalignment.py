"""Pretrained features that do not fit the domain."""

import numpy as np
import pytest
from tiny import make_arm, make_result

from plateau.causes.feature_misalignment import HYPOTHESIS


def test_random_weights_do_better(make_facts, make_bench):
    facts, bench = make_facts(probe=0.5, probe_random=0.65), make_bench(0.9)
    assert HYPOTHESIS.suspicion(facts) == pytest.approx(0.15)
    finding = HYPOTHESIS.test(bench, facts)
    assert finding.effect.mean == pytest.approx(0.2)
    assert list(bench.runs.values()) == [make_arm({"batch_norm": "train"}, weights="none")]
    assert finding.runs == list(bench.runs)
    assert finding.fix["backbone.weights"].startswith("none")
    assert "0.500" in finding.evidence[0] and "0.650" in finding.evidence[0]


class Scores:
    """Runs whose accuracy depends on the weights."""

    def __init__(self, **accuracies):
        self.accuracies, self.names = accuracies, []

    def run(self, arm, name):
        self.names.append(name)
        return make_result(arm, (np.arange(60) < self.accuracies[arm.weights] * 60).astype(float))


@pytest.mark.parametrize(("pretrained", "gain"), [(0.6, 0.2), (0.9, 0.0)])
def test_what_moving_batch_norm_gains_is_not_that_of_random_weights(make_facts, pretrained, gain):
    facts, bench = (
        make_facts(make_arm({"batch_norm": "frozen"}), probe=0.5, probe_random=0.65),
        Scores(none=0.9, bundled=pretrained),
    )
    finding = HYPOTHESIS.test(bench, facts)
    assert finding.effect.mean == pytest.approx(gain, abs=1e-6)
    assert bench.names == ["best from random weights", "best, batch norm in training mode"]


def test_no_control_where_random_weights_do_no_better(make_facts):
    bench = Scores(none=0.7)
    HYPOTHESIS.test(bench, make_facts(make_arm({"batch_norm": "frozen"}), probe=0.5, probe_random=0.65))
    assert bench.names == ["best from random weights"]


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
