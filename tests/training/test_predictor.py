"""The served model reads plain images and says what training saw."""

import numpy as np
import pytest
import torch
from tiny import make_arm
from torch import nn

from plateau_cause.config.recipe import Preprocessing
from plateau_cause.training.predictor import Predictor


@pytest.mark.parametrize("activation", [None, "softmax"])
def test_predicts_as_the_run_did(make_lab, tiny_dataset, tmp_path, activation):
    lab = make_lab(folder=tmp_path)
    arm = make_arm({"head.activation": activation})
    result = lab.run(arm, keep_weights=True)
    predictor = Predictor(
        lab.trained(result), arm.recipe.preprocessing, tiny_dataset.classes, activation == "softmax"
    )
    images = np.stack([tiny_dataset.store.image(int(row)) for row in tiny_dataset.indices("test")])
    table = predictor.predict(images)
    assert table.columns.tolist() == ["label", *(f"probability: {name}" for name in tiny_dataset.classes)]
    probabilities = table.iloc[:, 1:].to_numpy(np.float64)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
    outputs = torch.from_numpy(result.outcome.test_outputs)
    expected = outputs if activation else outputs.softmax(1)
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)
    assert table["label"].tolist() == [tiny_dataset.classes[i] for i in expected.argmax(1)]


class Wrapped(nn.Module):
    """A gray network that gives a dictionary with more scores than there are classes."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 5, 8)

    def forward(self, images):
        return {"hidden": None, "logits": self.conv(images).flatten(1)}


def test_a_network_as_users_write_them():
    preprocessing = Preprocessing(size=8, mean=None, std=None)
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
    found = Predictor(Wrapped(), preprocessing, ("a", "b")).predict(images)
    assert list(found.columns) == ["label", "probability: a", "probability: b"]
    assert np.allclose(found.iloc[:, 1:].sum(axis=1), 1.0)


def test_one_output_tells_two_classes_apart():
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 1))
    nn.init.zeros_(network[1].weight)
    nn.init.constant_(network[1].bias, 0.3)  # a logit, though it might be a probability
    images = np.zeros((2, 8, 8, 3), np.uint8)
    found = Predictor(network, Preprocessing(size=8, mean=None, std=None), ("no", "yes")).predict(images)
    assert list(found["label"]) == ["yes", "yes"]
