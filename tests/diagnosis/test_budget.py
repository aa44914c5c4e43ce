"""The budget counts in the dearest run, and the data get their share of what is left."""

from types import SimpleNamespace

import numpy as np
import pytest
from tiny import make_arm, make_result

from plateau_cause.config.params import Diagnosis
from plateau_cause.diagnosis import budget
from plateau_cause.diagnosis.budget import DATA_SHARE


@pytest.mark.parametrize(
    ("recipe", "reference", "candidates", "left"),
    [
        (1.0, 2.0, [0.0], 6.0),
        (3.0, 2.0, [0.0], 9.0),
        (1.0, 0.0, [2.0], 4.0),  # a head on cached features was chosen: finding it took a run of every layer
        (1.0, 4.0, [0.0, 2.0], 10.0),  # what was trained before the input was enlarged is spent
    ],
)
def test_the_budget_is_a_multiple_of_the_dearest_run(recipe, reference, candidates, left):
    one, other = (make_result(make_arm(), np.ones(4), cost) for cost in (recipe, reference))
    assert budget.whole([one], [other], candidates, 3.0) == left


@pytest.mark.parametrize(
    ("suspicion", "gap", "kept"),
    [
        (0.1, 0.0, DATA_SHARE * 2.0),  # nothing else to explain
        (0.1, -0.2, DATA_SHARE * 2.0),
        (0.05, 0.1, 2.0 / 3),  # the gap is what there is to explain
        (0.9, 0.1, 0.3),  # never more than the tests cost, repeated once
        (None, 0.1, 0.0),
        (0.05, 2.0, 0.0),  # a share that pays for no test
    ],
)
def test_the_data_keep_a_share_by_what_they_may_explain(monkeypatch, suspicion, gap, kept):
    price = 0.1 if suspicion == 0.9 else 0.6
    raised = [] if suspicion is None else [(SimpleNamespace(suspicion=lambda facts: suspicion), price)]
    monkeypatch.setattr(budget, "suspected", lambda facts, limits: raised)
    assert budget.kept_for_data(None, Diagnosis(), gap, left=2.0) == pytest.approx(kept)
