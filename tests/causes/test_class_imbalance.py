"""Classes of very different size: as a difference between recipes, and as a matter of the data."""

from dataclasses import replace

import numpy as np
import pytest
from tiny import make_arm, make_result

from plateau_cause.causes.class_imbalance import DATA_CAUSE, FACTOR, corrected, thin


def test_is_swapped_alone(check_factor):
    check_factor(FACTOR, {"sampler": "balanced"}, {"sampler"})


def test_suspect_where_classes_differ_in_size(evidence):
    even = replace(evidence, imbalance=1.1)
    assert FACTOR.prior(make_arm(), make_arm(), even) < FACTOR.prior(make_arm(), make_arm(), evidence)


def rare(make_facts, share=0.5):
    """Four classes, the last with few training images, and `share` of the test images."""
    train = np.repeat([0, 1, 2, 3], [40, 40, 36, 4])
    few = round(60 * share)
    test = np.concatenate([np.tile([0, 1, 2], 60)[: 60 - few], np.full(few, 3)])
    targets = np.concatenate([train, test])
    return make_facts(accuracy=0.9, imbalance=10.0, targets=targets, classes=("a", "b", "c", "d"))


def test_common_classes_made_as_rare_show_what_rareness_costs(make_facts, try_cause):
    facts = rare(make_facts)
    assert DATA_CAUSE.prior(facts) > 0.1
    labels = facts.targets[facts.test]
    # The best run knows every common class; made rare, a and c are known half of the time.
    best = (labels != 3).astype(float)
    thinned = best.copy()
    thinned[np.flatnonzero(np.isin(labels, [0, 2]))[::2]] = 0.0
    facts = replace(facts, best=hitting(facts.best.arm, best, labels))
    tried = try_cause(DATA_CAUSE, facts, thinned)
    (arm,) = tried.trial.arms
    kept = facts.targets[tried.trial.subsets[arm.images]]
    assert np.bincount(kept).tolist() == [4, 40, 4, 4]
    assert arm.recipe.schedule.epochs == 5  # 2 epochs of 120 images are 5 of 52
    assert tried.measured.mean == pytest.approx(0.5)  # of the images of a and c
    assert tried.reported.mean == pytest.approx(0.25)  # d holds half of the test images
    assert tried.fix == {"data": "more images of d"}
    assert "10.0 times" in tried.evidence[0] and "a, c lose +50 points" in tried.evidence[0]
    assert "+25 points (extrapolated)" in tried.evidence[0]


def test_rareness_that_costs_nothing_measures_nothing(make_facts, try_cause):
    facts = rare(make_facts)
    labels = facts.targets[facts.test]
    facts = replace(facts, best=hitting(facts.best.arm, np.ones(60), labels))
    tried = try_cause(DATA_CAUSE, facts, np.ones(60))
    assert tried.measured.mean == tried.reported.mean == 0


def test_without_a_rare_class_nothing_is_tried(make_facts):
    assert DATA_CAUSE.trial(make_facts(targets=np.tile([0, 1], 90))) is None


def test_rare_classes_that_no_test_image_shows_are_worth_no_run(make_facts):
    facts = rare(make_facts, share=0.0)
    labels = facts.targets[facts.test]
    facts = replace(facts, best=hitting(facts.best.arm, np.ones(60), labels))
    assert not (labels == 3).any() and DATA_CAUSE.trial(facts) is None


def hitting(arm, hits, labels):
    """Returns a result that hits these test images of any class."""
    outputs = np.full((len(labels), 5), 0.0)
    outputs[np.arange(len(labels)), np.where(hits > 0, labels, 4)] = 1.0
    result = make_result(arm, hits)
    outcome = replace(result.outcome, test_outputs=outputs, val_outputs=outputs[:, :4])
    return replace(result, outcome=outcome)


def test_thinned_classes_keep_evenly_spaced_images():
    targets = np.array([0, 1, 0, 0, 1, 0, 0, 2])
    rows = np.arange(8)
    assert thin(rows, targets, np.array([0]), 2).tolist() == [0, 1, 4, 6, 7]
    assert thin(rows, targets, np.array([1, 2]), 9).tolist() == rows.tolist()


def test_outputs_that_carry_the_shares_are_corrected(make_facts, try_cause):
    """Evidence of 1 for the right class, on top of what a 9 : 1 training set puts into every output."""
    labels = np.repeat([0, 1], 30)
    train = np.repeat([0, 1], [108, 12])
    outputs = np.eye(2)[labels] * 1.0 + np.log([0.9, 0.1])
    facts = make_facts(imbalance=9.0)
    outcome = replace(facts.best.outcome, val_outputs=outputs, test_outputs=outputs)
    facts = replace(facts, best=replace(facts.best, outcome=outcome), targets=np.concatenate([train, labels]))
    tried = try_cause(DATA_CAUSE, facts)
    assert not tried.trial.arms
    assert tried.measured.mean == tried.reported.mean == pytest.approx(0.5)
    assert "log(share of the class" in tried.fix["data"] and "by +50 points" in tried.evidence[0]
    assert np.allclose(corrected(outputs, np.array([0.9, 0.1]), 1.0), np.eye(2)[labels])


@pytest.mark.parametrize(
    ("imbalance", "sampler", "accuracy"),
    [(1.2, "uniform", 0.7), (8.0, "balanced", 0.7), (8.0, "uniform", 0.95)],
)
def test_is_not_asked(make_facts, imbalance, sampler, accuracy):
    facts = make_facts(make_arm({"sampler": sampler}), imbalance=imbalance, accuracy=accuracy)
    assert DATA_CAUSE.prior(facts) == 0
