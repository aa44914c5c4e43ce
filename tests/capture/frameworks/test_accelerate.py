"""A loop of the script's own with accelerate, whose loaders are built anew and read one batch ahead."""

from __future__ import annotations

import pytest
from frameworks import assert_accuracies, assert_says

from plateau_cause.capture.observations import observe

pytest.importorskip("accelerate", reason="accelerate is not installed")
SAYS = {
    "loaders.0.name": "train_dataloader", "loaders.0.role": "train", "loaders.1.name": "eval_dataloader",
    "loaders.1.role": "evaluation", "gradients.backward_calls_per_step": 2, "epochs.count": 2,
    "schedules.0.stepped_every": "batch", "gradients.clipping.limit": 1.0,
}  # fmt: skip


def test_a_healthy_script_is_described_and_not_accused(prepare, peek):
    folder = prepare("accelerate_loop")
    content = peek(folder)
    assert_says(content, SAYS)
    assert len(content["loaders"]) == 2
    assert observe(content, folder) == []


def test_no_batch_is_lost_that_was_read_ahead(prepare, capture):
    record = assert_accuracies(capture("watch", prepare("accelerate_loop")))
    assert [one["training"]["images"] for one in record["epochs"]] == [48, 48]


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (("            optimizer.zero_grad()\n", ""), "gradients_not_cleared"),
        (("    model.eval()\n", ""), "evaluates_in_training_mode"),
    ],
)
def test_what_is_broken_is_named(edit, code, prepare, peek):
    folder = prepare("accelerate_loop", edit)
    assert [one.code for one in observe(peek(folder), folder)] == [code]
