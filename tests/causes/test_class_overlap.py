"""Classes that the images do not tell apart."""

from dataclasses import replace

import numpy as np
import pytest

from plateau_cause.causes.class_overlap import DATA_CAUSE, confused_pairs, expected


def predictions(labels, share, pair=(0, 1), both_ways=True, seed=0):
    """Returns the labels, a share of which within the pair is exchanged."""
    random = np.random.default_rng(seed)
    first, second = pair
    found = labels.copy()
    for here, there in ((first, second), (second, first))[: 2 if both_ways else 1]:
        rows = np.flatnonzero(labels == here)
        found[random.choice(rows, int(share * len(rows)), replace=False)] = there
    return found


LABELS = np.repeat(np.arange(4), 50)


class TestPairs:
    def test_a_planted_pair(self):
        found = confused_pairs(predictions(LABELS, 0.4, (1, 3)), LABELS, 4)
        assert [pair[:2] for pair in found] == [(1, 3)]
        assert found[0][2] == pytest.approx(40 / 200)

    def test_the_larger_first(self):
        confused = predictions(predictions(LABELS, 0.3, (0, 1)), 0.5, (2, 3))
        assert [pair[:2] for pair in confused_pairs(confused, LABELS, 4)] == [(2, 3), (0, 1)]

    def test_a_biased_coin_is_a_coin(self):
        """Inside the pair the first class is predicted for a quarter of the images, whatever their label."""
        random = np.random.default_rng(1)
        inside = np.isin(LABELS, [1, 3])
        tossed = np.where(inside, np.where(random.random(200) < 0.25, 1, 3), LABELS)
        assert [pair[:2] for pair in confused_pairs(tossed, LABELS, 4)] == [(1, 3)]

    def test_a_class_that_is_never_predicted_is_no_coin(self):
        assert confused_pairs(np.where(LABELS == 1, 3, LABELS), LABELS, 4) == []

    def test_one_direction_is_a_bias_and_no_overlap(self):
        assert confused_pairs(predictions(LABELS, 0.5, both_ways=False), LABELS, 4) == []

    def test_errors_spread_over_all_classes(self):
        random = np.random.default_rng(0)
        spread = np.where(random.random(200) < 0.2, random.integers(0, 4, 200), LABELS)
        assert confused_pairs(spread, LABELS, 4) == []

    def test_no_errors(self):
        assert confused_pairs(LABELS, LABELS, 4) == []


def facts_with(make_facts, predicted, labels=LABELS, classes=("a", "b", "c", "d"), tested=None):
    """Returns facts of a best run with these predictions on validation images, and on test images."""
    facts = make_facts()
    one = np.eye(len(classes), dtype=np.float32)
    outputs = {"val_outputs": one[predicted], "test_outputs": one[predicted if tested is None else tested]}
    best = replace(facts.best, outcome=replace(facts.best.outcome, **outputs))
    return replace(
        facts,
        best=best,
        targets=labels,
        val=np.arange(len(labels)),
        test=np.arange(len(labels)),
        test_accuracy=float((predicted == labels).mean()),
        classes=classes,
    )


def test_merged_classes_raise_the_accuracy(make_facts, try_cause):
    facts = facts_with(make_facts, predictions(LABELS, 0.4, (1, 3)))
    assert expected(facts) == pytest.approx(0.2) and DATA_CAUSE.prior(facts) > 0.5
    tried = try_cause(DATA_CAUSE, facts)
    assert tried.measured.mean == tried.reported.mean == pytest.approx(0.2)
    assert "b / d" in tried.evidence[0] and "+20 points" in tried.evidence[0]
    assert "b / d" in tried.fix["data"]
    assert not tried.trial.arms


def test_pairs_are_chosen_on_validation_and_judged_on_test_images(make_facts, try_cause):
    """Test images that confuse another pair gain nothing from merging the one that validation names."""
    other = predictions(LABELS, 0.4, (0, 2))
    tried = try_cause(DATA_CAUSE, facts_with(make_facts, predictions(LABELS, 0.4, (1, 3)), tested=other))
    assert tried.measured.mean == 0
    assert "b / d" in tried.evidence[0]


def test_a_chain_of_pairs_does_not_merge_everything():
    confused = predictions(LABELS, 0.5, (0, 1))
    confused = np.where(confused == LABELS, predictions(LABELS, 0.9, (1, 2), seed=1), confused)
    assert len(confused_pairs(confused, LABELS, 4)) == 1


def test_no_suspicion_where_a_weak_model_errs_everywhere(make_facts):
    random = np.random.default_rng(0)
    confused = np.where(
        random.random(200) < 0.4, random.integers(0, 4, 200), predictions(LABELS, 0.4, (1, 3))
    )
    assert DATA_CAUSE.prior(facts_with(make_facts, confused)) == 0


def test_no_overlap(make_facts):
    facts = facts_with(make_facts, LABELS)
    assert DATA_CAUSE.prior(facts) == 0
    assert DATA_CAUSE.trial(facts) is None


def test_a_tossed_coin_is_seen_through_other_errors(make_facts):
    random = np.random.default_rng(0)
    confused = np.where(
        random.random(200) < 0.15, random.integers(0, 4, 200), predictions(LABELS, 0.5, (1, 3))
    )
    facts = facts_with(make_facts, confused)
    assert expected(facts) / facts.headroom > 0.5 and DATA_CAUSE.prior(facts) > 0.5
    spread = np.where(random.random(200) < 0.15, random.integers(0, 4, 200), predictions(LABELS, 0.3, (1, 3)))
    assert DATA_CAUSE.prior(facts_with(make_facts, spread)) == 0


def test_two_classes_are_not_merged_into_one(make_facts):
    labels = np.repeat(np.arange(2), 50)
    facts = facts_with(make_facts, predictions(labels, 0.4), labels, ("a", "b"))
    assert DATA_CAUSE.prior(facts) == 0
