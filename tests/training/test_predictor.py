"""The served model reads plain images and says what training saw."""

import numpy as np
import pytest
import torch
from tiny import make_arm

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
