"""Test labels that are a permutation of what is learned."""

from dataclasses import replace

import numpy as np
import pytest

from plateau_cause.causes.label_mapping import DATA_CAUSE
from plateau_cause.features.label_order import best_mapping

CLASSES = ("a", "b", "c", "d")
LEARNED = np.tile(np.arange(4), 15)


def facts_of(make_facts, predictions, labels):
    facts = make_facts(classes=CLASSES)
    outputs = np.eye(4, dtype=np.float32)[predictions]
    best = replace(facts.best, outcome=replace(facts.best.outcome, test_outputs=outputs))
    rows = np.arange(len(labels))
    return replace(facts, best=best, targets=labels, test=rows)


@pytest.mark.parametrize("mapping", [(1, 2, 3, 0), (1, 0, 2, 3), (3, 2, 1, 0)])
def test_a_permuted_test_set_is_mapped_back(make_facts, mapping):
    facts = facts_of(make_facts, LEARNED, np.array(mapping)[LEARNED])
    assert DATA_CAUSE.prior(facts) > 0.5
    trial = DATA_CAUSE.trial(facts)
    assert trial.after.all() and not trial.arms
    moved = {CLASSES[i]: CLASSES[j] for i, j in enumerate(mapping) if i != j}
    assert trial.facts["mapping"] == moved
    assert all(
        f"{given} -> {learned}" in DATA_CAUSE.fix(facts, trial)["data"] for learned, given in moved.items()
    )


def test_right_labels_are_left_alone(make_facts):
    assert DATA_CAUSE.prior(facts_of(make_facts, LEARNED, LEARNED)) == 0


def test_a_network_that_knows_nothing_gains_nothing_by_a_mapping(make_facts):
    guesses = np.random.default_rng(0).integers(0, 4, len(LEARNED))
    assert DATA_CAUSE.prior(facts_of(make_facts, guesses, LEARNED)) == 0


def test_a_class_keeps_its_name_where_nothing_fits_better():
    assert best_mapping(np.array([0, 0, 1]), np.array([0, 0, 1]), 4).tolist() == [0, 1, 2, 3]
