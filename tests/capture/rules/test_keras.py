"""Rules for Keras scripts, by hand."""

from pathlib import Path

import pytest

from plateau_cause.capture.rules.keras_loss import distance, from_logits, several_labels
from plateau_cause.capture.rules.observation import Peeked

PLACE = {"file": "train.py", "line": 7}


@pytest.mark.parametrize(("activation", "labels", "stands_out"), [
    ("linear", 2, True), ("softmax", 2, True), ("linear", 0, False), ("tanh", 2, False),
])  # fmt: skip
def test_a_loss_for_numbers_on_classes(activation, labels, stands_out):
    loss = {"function": "mean_squared_error", "activation": activation, "built": PLACE}
    train = {"role": "train", "labels": {"seen": {str(one): 5 for one in range(labels)}}}
    content = {"framework": "keras", "keras": {"fits": []}, "loss": loss, "loaders": [train]}
    assert (distance(Peeked(content, None)) is not None) is stands_out


def test_of_several_outputs_no_loss_is_held_against_an_activation():
    loss = {"function": "categorical_crossentropy", "activation": "linear", "on": "logits", "built": PLACE,
            "options": {}}  # fmt: skip
    head = {"name": "value", "outputs": 1, "place": PLACE}

    def said(outputs):
        content = {"keras": {"fits": [], "outputs": outputs}, "loss": loss, "model": {"head": head}}
        return from_logits(Peeked(content, Path("nowhere")))

    assert said(1).code == "loss_input" and said(2) is None


@pytest.mark.parametrize(("function", "activation", "each", "stands_out"), [
    ("categorical_crossentropy", "softmax", 1.6, True), ("binary_crossentropy", "softmax", 0.4, True),
    ("categorical_crossentropy", "sigmoid", 2.0, True), ("binary_crossentropy", "sigmoid", 1.6, False),
    ("categorical_crossentropy", "softmax", None, False),
])  # fmt: skip
def test_several_labels_that_share_one(function, activation, each, stands_out):
    loss = {"function": function, "activation": activation, "built": PLACE, "labels_each": each}
    content = {"keras": {"fits": []}, "loss": loss, "model": {"head": {"place": PLACE}}}
    assert (several_labels(Peeked(content, Path("nowhere"))) is not None) is stands_out
