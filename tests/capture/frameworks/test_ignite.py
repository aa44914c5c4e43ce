"""ignite's `Engine`: passes and schedules of its own."""

from __future__ import annotations

import pytest
from frameworks import assert_says

from plateau_cause.capture.rules.every import observe

pytest.importorskip("ignite", reason="ignite is not installed")
SAYS = {
    "epochs.count": 4, "loaders.0.role": "train", "loaders.1.role": "evaluation",
    "schedules.0.class": "lr_scheduler.StepLR", "schedules.0.stepped_every": "epoch",
    "optimizers.0.rates_by_hand": [], "gradients.are_cleared": True,
}  # fmt: skip


def test_a_healthy_script_is_described_and_not_accused(prepare, peek):
    folder = prepare("ignite_engine")
    content = peek(folder)
    assert_says(content, SAYS)
    assert observe(content, folder) == []


def test_a_schedule_that_an_event_steps_at_every_batch(prepare, peek):
    folder = prepare(
        "ignite_engine", ("Events.EPOCH_STARTED, LRScheduler", "Events.ITERATION_STARTED, LRScheduler")
    )
    (found,) = observe(peek(folder), folder)
    assert found.code == "schedule_mistimed" and "step_size of 2 counts epochs" in found.words
