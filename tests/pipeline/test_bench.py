"""The laboratory over a prepared project: who trains in it, and that a worker opens the same one."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from plateau_cause.config.params import Data, Params
from plateau_cause.config.recipe import put
from plateau_cause.lab.laboratory import Laboratory
from plateau_cause.pipeline import bench, paths
from plateau_cause.pipeline.finetune import train_arm

SMALL = {"preprocessing.size": 32, "schedule.epochs": 1, "trainable": "all", "batch_size": 16}


@pytest.fixture
def params(tmp_path, monkeypatch):
    """A project of 60 digits, prepared and embedded, in the current folder."""
    from plateau_cause.images.prepare import prepare
    from plateau_cause.pipeline.embed import write_features

    monkeypatch.chdir(tmp_path)
    given = Params(data=Data(max_images=60), recipe=put(Params().recipe, SMALL), device="cpu")
    prepare(given.data, tmp_path / paths.PREPARED)
    write_features(given, tmp_path)
    return replace(given, diagnosis=replace(given.diagnosis, seeds=(0, 1)))


@pytest.mark.slow
def test_two_workers_open_the_same_laboratory(params, tmp_path, monkeypatch):
    import torch

    torch.set_num_threads(1)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PLATEAU_WORKERS", "2")
    lab, rates = bench.open_laboratory(params, Path())
    with monkeypatch.context() as patched:
        patched.setattr(lab, "run", _only_finished(lab))
        found = train_arm(lab, rates, params, "recipe").results
    lab.team.close()
    monkeypatch.setenv("PLATEAU_WORKERS", "1")
    plain, rates = bench.open_laboratory(params, Path())
    assert plain.team is None
    plain.folder = tmp_path / "others"
    for one, other in zip(found, train_arm(plain, rates, params, "recipe").results, strict=True):
        assert one.key == other.key
        assert np.array_equal(one.outcome.test_outputs, other.outcome.test_outputs)


def _only_finished(lab):
    """Returns a run() that trains nothing: the workers have."""

    def run(arm, name="train", keep_weights=False):
        assert lab._finished(lab.key(arm)) is not None
        return Laboratory.run(lab, arm, name, keep_weights)

    return run
