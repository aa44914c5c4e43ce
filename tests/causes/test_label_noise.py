"""Wrong labels among the training images."""

from dataclasses import replace

import numpy as np
import pytest

from plateau_cause.causes.label_noise import HYPOTHESIS


def noise(rate, rows, kind="noise", low=0.0):
    return {"rate": rate, "interval": [low, 1.0], "flagged": [{"row": row, "kind": kind} for row in rows]}


def test_flagged_labels_are_set_aside(make_facts, make_bench):
    facts, bench = make_facts(noise=noise(0.1, range(0, 24, 2)), noise_held_out=0.08), make_bench(0.8)
    assert HYPOTHESIS.suspicion(facts) == pytest.approx(0.1)
    finding = HYPOTHESIS.test(bench, facts)
    assert finding.effect.mean == pytest.approx(0.1)
    assert list(bench.runs) == finding.runs == ["recipe - flagged labels"]
    arm = bench.runs[finding.runs[0]]
    rows = bench.subsets[arm.images]
    assert len(rows) == 108
    assert not np.isin(np.arange(0, 24, 2), rows).any()
    assert "12 labels in doubt were set aside" in finding.evidence[0]
    assert "12 flagged labels" in finding.fix["data"]
    assert finding.levels == {"label_noise_ceiling": pytest.approx(0.92)}


def test_costs_as_much_as_what_is_kept(make_facts):
    facts = make_facts(noise=noise(0.1, range(0, 24, 2)))
    facts = replace(facts, learner=replace(facts.learner, cost=7.0))
    assert HYPOTHESIS.price(facts) == pytest.approx(0.9 * 7.0)


@pytest.mark.parametrize(("low", "kept"), [(0.05, 119), (0.15, 118)])
def test_doubt_between_classes_counts_where_many_are_wrong(make_facts, make_bench, low, kept):
    flagged = [{"row": 3, "kind": "noise"}, {"row": 5, "kind": "overlap"}]
    facts, bench = make_facts(noise={**noise(0.2, [], low=low), "flagged": flagged}), make_bench(0.8)
    HYPOTHESIS.test(bench, facts)
    assert len(bench.subsets["without flagged labels"]) == kept


def test_suspicion_does_not_exceed_what_is_left(make_facts):
    assert HYPOTHESIS.suspicion(make_facts(accuracy=0.95, noise=noise(0.3, []))) == pytest.approx(0.05)


def test_is_asked_of_what_learns(make_facts, make_bench):
    learner = make_facts(accuracy=0.6).learner
    facts = make_facts(
        accuracy=0.9, noise=noise(0.1, [3]), learner=learner, learner_name="recipe + learning_rate"
    )
    finding = HYPOTHESIS.test(make_bench(0.95), facts)
    assert finding.runs == ["recipe + learning_rate - flagged labels"]
    assert finding.before is learner
    assert finding.effect.mean == pytest.approx(0.35)


def test_a_reference_that_noise_cannot_harm_hides_nothing(make_facts):
    facts = replace(make_facts(accuracy=1.0, noise=noise(0.3, [3])), learner=make_facts(accuracy=0.8).learner)
    assert HYPOTHESIS.suspicion(facts) == pytest.approx(0.2)


def test_clean_labels(make_facts):
    assert HYPOTHESIS.suspicion(make_facts(noise=noise(0.01, [3]))) == 0


@pytest.mark.parametrize("flagged", [[], [{"row": 3, "kind": "overlap"}]])
def test_nothing_to_set_aside(make_facts, make_bench, flagged):
    facts = make_facts(noise={"rate": 0.1, "interval": [0.05, 0.2], "flagged": flagged})
    assert HYPOTHESIS.test(make_bench(1.0), facts) is None


def test_what_can_be_told_does_not_acquit_what_cannot(make_facts, make_bench):
    few, many = (make_facts(noise=noise(0.2, [3], low=low)) for low in (0.05, 0.15))
    assert not HYPOTHESIS.test(make_bench(0.7), few).is_open(0.03)
    found = HYPOTHESIS.test(make_bench(0.7), many)
    assert found.effect.mean == 0.0
    assert found.is_open(0.03) is (found.effect.high >= 0.03)
