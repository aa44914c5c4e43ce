"""Wrong labels among the training images."""

from dataclasses import replace

import numpy as np
import pytest

from plateau_cause.causes.label_noise import DATA_CAUSE, KEPT, expected


def noise(rate, rows, kind="noise", low=0.0):
    return {"rate": rate, "interval": [low, 1.0], "flagged": [{"row": row, "kind": kind} for row in rows]}


def test_flagged_labels_are_set_aside(make_facts, try_cause):
    facts = make_facts(noise=noise(0.1, range(0, 24, 2)), noise_held_out=0.08)
    assert DATA_CAUSE.prior(facts) > 0.5
    tried = try_cause(DATA_CAUSE, facts, 0.8)
    assert tried.measured.mean == tried.reported.mean == pytest.approx(0.1)
    assert tried.trial.name == "recipe - flagged labels"
    (arm,) = tried.trial.arms
    rows = tried.trial.subsets[arm.images]
    assert len(rows) == 108
    assert not np.isin(np.arange(0, 24, 2), rows).any()
    assert "12 labels in doubt were set aside" in tried.evidence[0]
    assert "12 flagged labels" in tried.fix["data"]
    assert tried.levels == {"label_noise_ceiling": pytest.approx(0.92)}


@pytest.mark.parametrize(("low", "kept"), [(0.05, 119), (0.15, 118)])
def test_doubt_between_classes_counts_where_many_are_wrong(make_facts, low, kept):
    flagged = [{"row": 3, "kind": "noise"}, {"row": 5, "kind": "overlap"}]
    trial = DATA_CAUSE.trial(make_facts(noise={**noise(0.2, [], low=low), "flagged": flagged}))
    assert len(trial.subsets[KEPT]) == kept


def test_costs_no_more_than_what_is_left(make_facts):
    assert expected(make_facts(accuracy=0.95, noise=noise(0.3, []))) == pytest.approx(0.05)
    assert expected(make_facts(accuracy=0.5, noise=noise(0.3, []))) == pytest.approx(0.3)


def test_is_asked_of_what_learns(make_facts, try_cause):
    learner = make_facts(accuracy=0.6).learner
    facts = make_facts(
        accuracy=0.9, noise=noise(0.1, [3]), learner=learner, learner_name="recipe + learning_rate"
    )
    tried = try_cause(DATA_CAUSE, facts, 0.95)
    assert tried.trial.name == "recipe + learning_rate - flagged labels"
    assert tried.trial.base is learner and tried.trial.base_name == "recipe + learning_rate"
    assert tried.measured.mean == pytest.approx(0.35)


def test_a_reference_that_noise_cannot_harm_hides_nothing(make_facts):
    facts = replace(make_facts(accuracy=1.0, noise=noise(0.3, [3])), learner=make_facts(accuracy=0.8).learner)
    assert expected(facts) == pytest.approx(0.2) and DATA_CAUSE.prior(facts) > 0.5


def test_the_more_wrong_labels_the_likelier(make_facts):
    found = [DATA_CAUSE.prior(make_facts(noise=noise(rate, [3]))) for rate in (0.03, 0.06, 0.12)]
    assert found == sorted(set(found)) and found[0] > 0


def test_clean_labels(make_facts):
    assert DATA_CAUSE.prior(make_facts(noise=noise(0.01, [3]))) == 0


@pytest.mark.parametrize("flagged", [[], [{"row": 3, "kind": "overlap"}]])
def test_nothing_to_set_aside(make_facts, flagged):
    facts = make_facts(noise={"rate": 0.1, "interval": [0.05, 0.2], "flagged": flagged})
    assert DATA_CAUSE.trial(facts) is None


def test_what_can_be_told_does_not_acquit_what_cannot(make_facts):
    few, many = (make_facts(noise=noise(0.2, [3], low=low)) for low in (0.05, 0.15))
    assert not DATA_CAUSE.trial(few).is_partial
    assert DATA_CAUSE.trial(many).is_partial
