"""fastai's `Learner`, whose loaders and optimizers are its own."""

from __future__ import annotations

import pytest
from frameworks import assert_accuracies, assert_says

from plateau_cause.capture.observations import observe

pytest.importorskip("fastai", reason="fastai is not installed")
SAYS = {
    "loaders.0.name": "dls.train", "loaders.0.role": "train", "loaders.0.varies": True,
    "loaders.0.shuffle": True,
    "loaders.1.name": "dls.valid", "loaders.1.role": "evaluation", "loaders.1.varies": False,
    "loaders.1.labels.classes": ["amber", "blue", "green"], "loaders.1.data_set.length": 24,
    "optimizers.0.class": "fastai.optimizer.Optimizer", "loss.with": [], "gradients.are_cleared": True,
}  # fmt: skip
ONCE = ("learn.fine_tune(1, 2e-3, freeze_epochs=1)", "learn.freeze(); learn.fit(1, 2e-3)")


def test_a_healthy_script_is_described_and_not_accused(prepare, peek):
    folder = prepare("fastai_learn")
    content = peek(folder)
    assert_says(content, SAYS)
    assert observe(content, folder) == []


def test_the_accuracies_are_those_that_the_script_prints(prepare, capture):
    folder = prepare("fastai_learn", ONCE)
    script = folder / "train.py"
    script.write_text(script.read_text() + "    print(f'acc {learn.recorder.values[-1][-1]:.4f}')\n")
    assert_accuracies(capture("watch", folder))


def test_a_frozen_body_that_stays_so_is_named(prepare, peek):
    folder = prepare("fastai_learn", ONCE)
    assert [one.code for one in observe(peek(folder), folder)] == ["frozen_layers"]
