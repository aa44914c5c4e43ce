"""poutyne's `Model`: epochs of its own."""

from __future__ import annotations

import pytest
from frameworks import assert_says

from plateau_cause.capture.rules.every import observe

pytest.importorskip("poutyne", reason="poutyne is not installed")


def test_a_healthy_script_is_described_and_not_accused(prepare, peek):
    folder = prepare("poutyne_model")
    content = peek(folder)
    assert_says(content, {"epochs.count": 3, "loaders.0.role": "train", "loaders.1.role": "evaluation"})
    assert observe(content, folder) == []


def test_validation_in_order_of_classes_is_none_of_training(prepare, peek):
    folder = prepare("poutyne_model", ("batch_size=8, shuffle=True)", "batch_size=8)"))
    (found,) = observe(peek(folder), folder)
    assert found.code == "not_shuffled"
