"""Pretrained features that do not fit the domain."""

import pytest
from tiny import make_arm

from plateau_cause.causes.feature_misalignment import DATA_CAUSE


def test_random_weights_do_better(make_facts, try_cause):
    facts = make_facts(probe=0.5, probe_random=0.65)
    assert DATA_CAUSE.prior(facts) > 0.5
    tried = try_cause(DATA_CAUSE, facts, 0.9)
    assert tried.measured.mean == tried.reported.mean == pytest.approx(0.2)
    assert tried.trial.arms == (make_arm({"batch_norm": "train"}, weights="none"),)
    assert tried.trial.repairs
    assert tried.fix["backbone.weights"].startswith("none")
    assert "50%" in tried.evidence[0] and "65%" in tried.evidence[0]


def test_the_further_ahead_random_features_are_the_likelier(make_facts):
    found = [DATA_CAUSE.prior(make_facts(probe=0.5, probe_random=at)) for at in (0.52, 0.54, 0.6)]
    assert found == sorted(found) and found[0] == 0 < found[1] < found[2]


@pytest.mark.parametrize(
    ("arm", "values"),
    [
        (make_arm(), {"probe": 0.7, "probe_random": 0.4}),
        (make_arm(weights="none"), {"probe": 0.4, "probe_random": 0.6}),
        (make_arm(own=frozenset({"model"})), {"probe": 0.4, "probe_random": 0.6}),
        (make_arm(), {"accuracy": 0.99, "probe": 0.4, "probe_random": 0.6}),
    ],
)
def test_is_not_asked(make_facts, arm, values):
    facts = make_facts(arm, **values)
    assert DATA_CAUSE.prior(facts) == 0
