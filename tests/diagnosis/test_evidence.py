"""What repairs of the data are measured against, and whom the labels are asked about."""

import numpy as np
import pytest
from tiny import make_arm, make_result

from plateau_cause.diagnosis import evidence
from plateau_cause.diagnosis.evidence import _baseline, _learner


@pytest.mark.parametrize(("reference", "measured_against"), [(0.52, "recipe"), (0.6, "reference")])
def test_the_data_are_asked_about_the_recipe_unless_another_run_is_better(
    monkeypatch, reference, measured_against
):
    n = 400
    one, other = (make_result(make_arm(), np.arange(n) < value * n) for value in (0.5, reference))
    monkeypatch.setattr(evidence, "validation", lambda lab, result: float(result is other))
    found = _baseline(None, {"recipe": one, "reference": other}, np.zeros(n, int), min_effect=0.03)
    assert found is {"recipe": one, "reference": other}[measured_against]


@pytest.mark.parametrize(("recipe", "asked"), [(0.5, "recipe"), (0.2, "recipe + learning_rate")])
def test_the_labels_are_asked_about_what_learns(recipe, asked):
    n = 100
    values = {"recipe": recipe, "recipe + head": 0.2, "recipe + learning_rate": 0.6, "reference": 0.9}
    runs = {name: make_result(make_arm(), np.arange(n) < value * n) for name, value in values.items()}
    assert _learner(runs, runs["reference"], np.zeros(n, int)) == (asked, runs[asked])
