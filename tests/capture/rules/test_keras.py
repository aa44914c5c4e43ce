"""Rules for Keras scripts, by hand."""

import pytest

from plateau_cause.capture.rules.keras import loaded_late
from plateau_cause.capture.rules.keras_loss import distance
from plateau_cause.capture.rules.observation import Peeked

PLACE = {"file": "train.py", "line": 7}


@pytest.mark.parametrize("is_late", [True, False])
def test_weights_over_what_was_trained(is_late):
    loaded = {"given": "imagenet.h5", "place": PLACE, "is_late": is_late}
    found = loaded_late(Peeked({"model": {"weights": [loaded]}}, None))
    assert (found is not None and "imagenet.h5 after training" in found.words) is is_late


@pytest.mark.parametrize(("activation", "labels", "stands_out"), [
    ("linear", 2, True), ("softmax", 2, True), ("linear", 0, False), ("tanh", 2, False),
])  # fmt: skip
def test_a_loss_for_numbers_on_classes(activation, labels, stands_out):
    loss = {"function": "mean_squared_error", "activation": activation, "built": PLACE}
    train = {"role": "train", "labels": {"seen": {str(one): 5 for one in range(labels)}}}
    content = {"framework": "keras", "keras": {"fits": []}, "loss": loss, "loaders": [train]}
    assert (distance(Peeked(content, None)) is not None) is stands_out
