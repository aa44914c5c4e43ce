"""skorch's `NeuralNetClassifier`: epochs of its own."""

from __future__ import annotations

import pytest
from frameworks import assert_says

from plateau_cause.capture.rules.every import observe

pytest.importorskip("skorch", reason="skorch is not installed")
SAYS = {
    "epochs.count": 4, "loaders.0.role": "train", "loaders.1.role": "evaluation",
    "schedules.0.stepped_every": "epoch", "loss.on": "logits",
}  # fmt: skip


def test_a_healthy_script_is_described_and_not_accused(prepare, peek):
    folder = prepare("skorch_net")
    content = peek(folder)
    assert_says(content, SAYS)
    assert observe(content, folder) == []


def test_a_schedule_stepped_at_every_batch(prepare, peek):
    folder = prepare("skorch_net", ("T_max=4)", "T_max=4, step_every='batch')"))
    (found,) = observe(peek(folder), folder)
    assert found.code == "schedule_mistimed" and "T_max of 4 counts epochs" in found.words


def test_its_own_loss_on_plain_outputs_is_no_number(prepare, peek):
    """The default, `NLLLoss`, takes the logarithm of what should be probabilities."""
    folder = prepare("skorch_net", (" criterion=nn.CrossEntropyLoss,", ""))
    assert [one.code for one in observe(peek(folder), folder)] == ["loss_no_number", "loss_input"]
