"""Test images of another domain."""

import numpy as np
import pytest

from plateau_cause.causes.split_shift import DATA_CAUSE, SEEN
from plateau_cause.causes.trial import stratified_half


def test_half_of_the_test_images_are_learned_from_and_the_others_judge(make_facts):
    facts = make_facts(accuracy=0.5, split_auc=0.99)
    assert DATA_CAUSE.prior(facts) > 0.5
    trial = DATA_CAUSE.trial(facts)
    (arm,) = trial.arms
    assert arm.images == SEEN and trial.repairs
    seen = facts.test[~trial.counted]
    assert set(trial.subsets[SEEN]) == {*facts.train, *seen}
    assert len(seen) == trial.facts["images"] == 30


@pytest.mark.parametrize("values", [{"split_auc": 0.55}, {"split_auc": 0.99, "accuracy": 0.99}])
def test_nothing_is_asked_where_the_splits_are_alike_or_nothing_is_missing(make_facts, values):
    assert DATA_CAUSE.prior(make_facts(**values)) == 0


def test_every_class_is_split():
    seen = stratified_half(np.array([0, 0, 0, 1, 1, 2]))
    assert seen.tolist() == [True, False, True, True, False, True]
