"""A repository root whose runs go to a real SQLite store, a server that is away, and what a store holds."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from plateau_cause import tracking
from plateau_cause.config import params
from plateau_cause.tracking import store

AWAY = "http://127.0.0.1:9"
VOLATILE = {"mlflow.user", "mlflow.source.name", "git.commit", "git.dirty"}


class Constant:
    """A model that always says "seven"; at module level, so that it pickles."""

    def predict(self, images):
        return pd.DataFrame({"label": ["seven"] * len(images), "seven": [1.0] * len(images)})


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    """A store that was made once: making one takes seconds."""
    import mlflow

    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    mlflow.MlflowClient(f"sqlite:///{path}").get_experiment("0")
    return path


@pytest.fixture
def here(tmp_path, monkeypatch, empty_store):
    """A repository root without runs, tracking on."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(empty_store, tmp_path)
    monkeypatch.delenv("PLATEAU_TRACKING")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")  # MLflow sets it: this way it is gone after the test
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    store.pipeline_run_id.cache_clear()
    yield tmp_path
    store.pipeline_run_id.cache_clear()


def record_a_stage(name="finetune", arm="recipe", at=()):
    """Records something of every kind, and returns the run.

    Args:
        name, arm: of the stage.
        at: what to do at its "start", "middle" or "end".
    """
    happens = {"start": bool, "middle": bool, "end": bool, **dict(at)}
    happens["start"]()
    manifest = pd.DataFrame({"label": ["a", "b"], "width": [1.0, 2.0]})
    with tracking.stage_run(params.Params(), name, arm=arm) as run:
        run.log_params({"recipe": {"trainable": "head"}})
        run.log_history([{"epoch": i, "train_loss": 1 / i} for i in (1, 2, 3)])
        run.log_metrics({"test_accuracy": 0.5, "broken": float("nan")})
        run.log_tags({"note": "<b>"})
        happens["middle"]()
        run.log_text("<h1>é</h1>", "report/page.html")
        run.log_dataset(manifest, "digits", "0123456789abcdef" * 4)
        run.log_model(Constant(), np.zeros((1, 8, 8, 3), np.uint8))
        with run.child("swap trainable", {"factor": "trainable"}) as child:
            child.log_metrics({"test_accuracy": 0.7})
        happens["end"]()
    return run


def holdings(client):
    """Returns all that a store holds in experiment `plateau`, without ids: what must be there once."""
    experiment = client.get_experiment_by_name("plateau")
    if experiment is None:
        return []
    runs = client.search_runs([experiment.experiment_id])
    names = {run.info.run_id: run.info.run_name for run in runs}
    models = client.search_logged_models([experiment.experiment_id])
    return sorted((_run(client, run, names, models) for run in runs), key=lambda held: held["name"])


def _run(client, run, names, models):
    tags = {key: value for key, value in run.data.tags.items() if key not in VOLATILE}
    if "mlflow.parentRunId" in tags:
        tags["mlflow.parentRunId"] = names[tags["mlflow.parentRunId"]]
    return {
        "name": run.info.run_name,
        "status": run.info.status,
        "times": (run.info.start_time, run.info.end_time),
        "params": run.data.params,
        "tags": tags,
        "metrics": {key: _points(client, run.info.run_id, key) for key in run.data.metrics},
        "files": _files(client, run.info.run_id),
        "inputs": [(item.dataset.name, item.dataset.digest) for item in run.inputs.dataset_inputs],
        "outputs": [output.model_id for output in run.outputs.model_outputs]
        == [model.model_id for model in models if model.source_run_id == run.info.run_id],
        "models": [
            (
                model.name,
                str(model.status),
                model.params,
                len(model.tags),
                [metric.key for metric in model.metrics],
            )
            for model in models
            if model.source_run_id == run.info.run_id
        ],
    }


def _points(client, run_id, key):
    found = client.get_metric_history(run_id, key)
    return [(point.step, point.timestamp, str(point.value)) for point in found]


def _files(client, run_id, folder=None):
    found = []
    for item in client.list_artifacts(run_id, folder):
        found += _files(client, run_id, item.path) if item.is_dir else [(item.path, item.file_size)]
    return found


def record(name):
    """Returns a stage's record."""
    return json.loads(Path(f"reports/runs/{name}.json").read_text())
