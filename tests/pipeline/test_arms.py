"""A trained arm as the project shows it: what diverged and what answers outside the classes is said."""

import numpy as np
from tiny import make_arm, make_result

from plateau_cause.pipeline import arms


def test_a_run_that_diverged_says_so():
    calm = make_result(make_arm(), np.ones(18))
    lost = make_result(make_arm(), np.ones(18), diverged_step=7)
    assert arms.divergence(calm) is None
    assert "from step 7 on, in epoch 1" in arms.divergence(lost)


def test_its_step_is_a_figure(make_lab):
    outputs = {"val_outputs": np.full((18, 3), np.nan), "test_outputs": np.full((18, 3), np.nan)}
    lost = make_result(make_arm(), np.ones(18), diverged_step=7, **outputs)
    assert arms.metrics(make_lab(), lost)["diverged_step"] == 7
    assert set(arms.predictions(make_lab(), lost)["predicted"]) == {arms.LOST}


def test_an_answer_outside_the_classes_is_named_so(make_lab):
    outputs = np.full((18, 3), -np.inf)
    found = make_result(make_arm(), np.ones(18), test_outputs=outputs, val_outputs=outputs)
    assert set(arms.predictions(make_lab(), found)["predicted"]) == {arms.OUTSIDE}
    assert "diverged_step" not in arms.metrics(make_lab(), found)
