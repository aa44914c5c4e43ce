"""A model of the user's own file is registered too, and answers where that file is not."""

import shutil

import numpy as np
import pytest
from tiny import make_arm

from plateau_cause import tracking
from plateau_cause.config import params
from plateau_cause.lab.arm import pieces_of
from plateau_cause.pipeline import arms
from plateau_cause.tracking import prediction, store
from plateau_cause.training.user_code import travel_with_models

CODE = """
import numpy as np
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.linear = nn.Linear(3 * 8 * 8, classes)

    def forward(self, x):
        return self.linear(x.flatten(1))


def transform(image, train):
    pixels = np.asarray(image.resize((8, 8)), dtype=np.float32)
    return torch.from_numpy(pixels / 255).permute(2, 0, 1)


def build_model(num_classes):
    return Net(num_classes)
"""


@pytest.mark.slow
def test_it_answers_in_another_process(make_lab, tiny_dataset, tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/train.py").write_text(CODE)
    lab = make_lab(code=tmp_path / "mine/train.py", folder=tmp_path / "runs")
    arm = make_arm({"schedule.epochs": 5}, own=pieces_of(lab.code.defined), weights="other")
    result = lab.run(arm, keep_weights=True)
    test = tiny_dataset.indices("test")
    trained = arms.predictions(lab, result)["predicted"].tolist()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLATEAU_TRACKING", "on")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    store.pipeline_run_id.cache_clear()
    travel_with_models()
    with tracking.stage_run(params.Params(), "retrain") as run:
        uri = run.log_model(arms.predictor(lab, result), tiny_dataset.store.image(int(test[0]))[None])
    shutil.rmtree(tmp_path / "mine")
    rows = tiny_dataset.manifest.iloc[test]
    places = {key: rows[key].tolist() for key in ("offset", "stored_height", "stored_width")}
    pixels = tmp_path / "pixels.bin"
    pixels.write_bytes(np.asarray(tiny_dataset.store._pixels).tobytes())
    assert prediction.predict_apart(uri, store.tracking_uri(), pixels, places) == trained
    assert len(set(trained)) > 1
