"""Losses by hand, given the wrong thing."""

import pytest

from plateau_cause.capture.rules.loss import loss_input, no_number
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


@pytest.mark.parametrize(("function", "code"), [("softmax", "loss_input"), ("relu", "output_activation")])
def test_a_softmax_over_the_images_of_a_batch_is_one_too(function, code, tmp_path):
    """Its rows add up to nothing, so that only the function tells."""
    loss = {"computes": "cross_entropy", "on": "never negative", "place": PLACE, "built": None,
            "after": {"function": function, "place": PLACE}}  # fmt: skip
    assert loss_input(Peeked({"loss": loss}, tmp_path)).code == code
    assert loss_input(Peeked({"loss": {**loss, "after": None}}, tmp_path)) is None


@pytest.mark.parametrize("is_number", [True, False])
def test_a_loss_that_is_no_number(is_number):
    loss = {"is_number": is_number, "place": PLACE, "built": None}
    assert (no_number(Peeked({"loss": loss}, None)) is None) is is_number
