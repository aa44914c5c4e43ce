"""What is kept of the replays."""

from types import SimpleNamespace

import pytest

from plateau_cause.pipeline.script_swaps import judged_curve


@pytest.mark.parametrize(("interventions", "kept"), [({"rate"}, 0.2), ({"labels_mapped", "rate"}, None)])
def test_a_validation_by_labels_that_were_mapped_is_no_part_of_the_curve(interventions, kept):
    row = {"accuracy": 0.2, "loss": 1.6}
    epoch = {"epoch": 1, "rates": [0.1], "training": {"accuracy": 0.9, "loss": 0.1}, "evaluations": [row]}
    (found,) = judged_curve(SimpleNamespace(content={"epochs": [epoch]}, interventions=interventions))
    assert (found["train_accuracy"], found["val_accuracy"]) == (0.9, kept)
