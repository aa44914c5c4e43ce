"""A loop of the script's own with accelerate, whose loaders are built anew and read one batch ahead."""

from __future__ import annotations

import pytest
from frameworks import assert_accuracies, assert_says

from plateau_cause.capture.rules.every import observe

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


ONCE_AN_EPOCH = (
    ("            lr_scheduler.step()\n", ""),
    ("    model.eval()\n", "    lr_scheduler.step()\n    model.eval()\n"),
)
CYCLE = "lr_scheduler.OneCycleLR(optimizer, max_lr=1e-3, epochs=2, steps_per_epoch=len(train_dataloader))"
FALLING = "lr_scheduler.LambdaLR(optimizer, lambda step: max(0.0, 1 - step / (2 * len(train_dataloader))))"


@pytest.mark.parametrize(
    ("schedule", "codes"),
    [("lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.01)", []), (FALLING, ["schedule_mistimed"])],
)
def test_a_schedule_that_is_stepped_once_an_epoch_is_known(schedule, codes, prepare, peek):
    folder = prepare("accelerate_loop", *ONCE_AN_EPOCH, (CYCLE, schedule))
    content = peek(folder)
    assert content["schedules"][0]["stepped_every"] == "epoch"
    assert [one.code for one in observe(content, folder)] == codes


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
