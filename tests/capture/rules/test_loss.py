"""Losses by hand, given the wrong thing."""

import pytest

from plateau_cause.capture.rules.loss import loss_input
from plateau_cause.capture.rules.observation import Peeked

PLACE = {"file": "train.py", "line": 7}


@pytest.mark.parametrize(("on", "stands_out"), [("probabilities", True), ("log-probabilities", False)])
def test_a_divergence_expects_log_probabilities(on, stands_out, tmp_path):
    loss = {"computes": "kl_div", "on": on, "after": None, "place": PLACE}
    found = loss_input(Peeked({"loss": loss}, tmp_path))
    assert (found is not None) is stands_out


@pytest.mark.parametrize(
    ("on", "function", "stands_out"),
    [
        ("never negative", "relu", True),
        ("never negative", "softplus", False),
        ("log-probabilities", "relu", False),
    ],
)
def test_log_probabilities_that_pass_a_relu(on, function, stands_out, tmp_path):
    after = {"function": function, "place": PLACE}
    loss = {"computes": "nll_loss", "on": on, "after": after, "place": PLACE}
    found = loss_input(Peeked({"loss": loss}, tmp_path))
    assert (found is not None and found.code == "output_activation") is stands_out
