"""Runs in a real SQLite store; a store that fails costs a warning, never the stage."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from plateau_cause import tracking
from plateau_cause.config import params
from plateau_cause.tracking import find
from plateau_cause.tracking.journal import waiting

from .conftest import Constant, record

PARAMS = params.Params()


def client():
    import mlflow

    return mlflow.MlflowClient(tracking.tracking_uri())


def test_off_records_nothing_but_leaves_the_record(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with tracking.stage_run(PARAMS, "embed") as run:
        run.log_params({"a": 1})
        run.log_metrics({"a": 1})
        run.log_history([{"epoch": 0, "a": 1}])
        run.log_dict({}, "x.json")
        assert run.log_model(Constant(), np.zeros((1, 2, 2, 3), np.uint8)) is None
        with run.child("swap") as child:
            child.log_metrics({"a": 1})
    assert record("embed") == {
        "name": "embed",
        "run_id": None,
        "tracking_uri": None,
        "experiment_id": None,
        "children": {"swap": None},
    }
    assert not Path("mlflow.db").exists()


def test_a_stage_and_its_children(here):
    with tracking.stage_run(PARAMS, "finetune", arm="recipe", seed=0, tags={"note": "<b>"}) as run:
        run.log_params({"recipe": {"trainable": "head", "preprocessing": {"mean": None, "std": (1, 2, 3)}}})
        run.log_params({"recipe": {"trainable": "all"}, "long": "x" * 10_000})  # no error
        run.log_metrics({"test_accuracy": np.float32(0.5), "missing": None, "level": {"knn/ä (%)": 1}})
        run.log_history([{"epoch": i, "train_loss": 1 / (i + 1), "kept": "no"} for i in range(1500)])
        run.log_text("<h1>é</h1>", "report.html")
        run.log_dict({"a": np.float64(1)}, "numbers/a.json")
        with run.child("swap trainable", {"factor": "trainable"}) as child:
            child.log_params({"recipe": {"trainable": "last_block"}})
            child.log_metrics({"test_accuracy": 0.7})
    stored = client().get_run(run.run_id)
    assert stored.info.status == "FINISHED"
    assert stored.data.tags.items() >= {
        "stage": "finetune", "arm": "recipe", "seed": "0", "kind": "train", "note": "<b>",
        "backbone": "tf_efficientnet_lite0", "mlflow.runName": "finetune@recipe",
    }.items()  # fmt: skip
    given = stored.data.params
    assert given["recipe.trainable"] == "head"
    assert given["recipe.preprocessing.mean"] == "null"
    assert given["data.split.val"] == "0.2"
    assert 5000 < len(given["long"]) <= 6000
    assert stored.data.metrics["level.knn/_ ___"] == 1
    assert {"stage_s", "peak_memory_mb"} <= set(stored.data.metrics)
    history = client().get_metric_history(run.run_id, "train_loss")
    assert [(point.step, point.value) for point in history[:2]] == [(0, 1.0), (1, 0.5)]
    assert len(history) == 1500
    nested = client().get_run(child.run_id)
    assert nested.data.tags["mlflow.parentRunId"] == run.run_id
    assert nested.data.tags.items() >= {"factor": "trainable", "arm": "recipe", "kind": "train"}.items()
    own = {key: value for key, value in nested.data.params.items() if key.startswith("recipe.")}
    assert own == {"recipe.trainable": "last_block"}
    shared = [{k: v for k, v in one.data.params.items() if k.startswith("data.")} for one in (stored, nested)]
    # The comparison page shows what differs, and what is the same as such
    assert shared[0] == shared[1] != {}
    assert record("finetune@recipe")["run_id"] == run.run_id
    assert record("finetune@recipe")["children"] == {"swap trainable": child.run_id}
    assert (here / f"mlartifacts/{run.run_id}/artifacts/report.html").read_text() == "<h1>é</h1>"
    assert not (here / "mlruns").exists()


def test_figures_folders_and_data_sets(here):
    from matplotlib.figure import Figure

    (here / "out").mkdir()
    (here / "out/a.txt").touch()
    manifest = pd.DataFrame({"label": ["a", "b"], "target": [0, 1], "width": [1.0, 2.0]})
    with tracking.stage_run(PARAMS, "prepare_data") as run:
        run.log_figure(Figure(), "plots/empty.png")
        run.log_artifact(here / "out", "folder")
        run.log_artifact(here / "out/a.txt")
        run.log_dataset(manifest, "digits", "0123456789abcdef" * 4)
    stored = client().get_run(run.run_id)
    files = {item.path for item in client().list_artifacts(run.run_id)}
    assert files == {"a.txt", "folder", "plots"}
    (dataset,) = stored.inputs.dataset_inputs
    assert (dataset.dataset.name, json.loads(dataset.dataset.profile)) == ("digits", {"num_rows": 2})
    assert stored.data.tags["data_digest"] == "0123456789abcdef" * 4


def test_a_model_loads_by_its_uri_and_predicts_from_images_of_any_size(here):
    import mlflow

    with tracking.stage_run(PARAMS, "finetune", arm="recipe") as run:
        uri = run.log_model(Constant(), np.zeros((2, 8, 8, 3), np.uint8))
    loaded = mlflow.pyfunc.load_model(uri)
    assert list(loaded.predict(np.zeros((3, 20, 10, 3), np.uint8))["label"]) == ["seven"] * 3
    with pytest.raises(mlflow.MlflowException):
        loaded.predict(np.zeros((3, 20, 10, 3), np.float32))
    (output,) = client().get_run(run.run_id).outputs.model_outputs
    assert uri == f"models:/{output.model_id}"
    assert next((here / "mlartifacts/models").iterdir()).name == output.model_id


def test_a_failed_stage_is_recorded_as_failed(here):
    with pytest.raises(ZeroDivisionError), tracking.stage_run(PARAMS, "embed") as run:
        run.log_metrics({"a": 1})
        raise ZeroDivisionError
    assert client().get_run(run.run_id).info.status == "FAILED"
    assert not Path("reports/runs/embed.json").exists()


def test_an_interrupted_stage_is_recorded_as_killed(here):
    with pytest.raises(KeyboardInterrupt), tracking.stage_run(PARAMS, "embed") as run:
        raise KeyboardInterrupt
    assert client().get_run(run.run_id).info.status == "KILLED"


def test_under_mlflow_run_everything_has_one_parent(here, monkeypatch):
    parent = client().create_run(client().create_experiment("theirs"))
    monkeypatch.setenv("MLFLOW_RUN_ID", parent.info.run_id)
    for stage in ("embed", "intervene"):
        with tracking.stage_run(PARAMS, stage) as run, run.child("swap") as child:
            pass
        for run_id in (run.run_id, child.run_id):
            stored = client().get_run(run_id)
            assert stored.data.tags["mlflow.parentRunId"] == parent.info.run_id
            assert stored.info.experiment_id == parent.info.experiment_id
    assert client().get_run(parent.info.run_id).info.status == "RUNNING"


def test_names_of_dvc(here, monkeypatch):
    monkeypatch.setenv("DVC_STAGE", "finetune@recipe")
    monkeypatch.setenv("DVC_EXP_NAME", "atrip-wide")
    monkeypatch.setenv("DVC_ROOT", str(here / "root"))
    (here / "root").mkdir()
    shutil.move("mlflow.db", "root")
    with tracking.stage_run(PARAMS, "finetune", arm="recipe") as run:
        pass
    tags = client().get_run(run.run_id).data.tags
    assert (tags["dvc.stage"], tags["dvc.exp"]) == ("finetune@recipe", "atrip-wide")
    assert not (here / "mlflow.db").exists()


def test_the_callers_store_wins(here, monkeypatch):
    (here / "other").mkdir()
    shutil.move("mlflow.db", "other/runs.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{here}/other/runs.db")
    with tracking.stage_run(PARAMS, "embed") as run:
        run.log_text("x", "x.txt")
    assert (here / f"other/mlartifacts/{run.run_id}/artifacts/x.txt").exists()
    assert not (here / "mlflow.db").exists()


@pytest.mark.parametrize(
    "uri", ["http://user:secret@127.0.0.1:9", "nonsense://x", "postgresql://user:secret@127.0.0.1:9/x"]
)
def test_a_store_that_cannot_be_reached_costs_one_line(here, monkeypatch, capsys, uri):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with tracking.stage_run(PARAMS, "embed") as run:
        run.log_metrics({"a": 1})
    warning = capsys.readouterr().err
    assert warning.startswith("warning: MLflow at ")
    assert warning.count("\n") == 1
    assert "secret" not in warning
    assert find.is_key(record("embed")["run_id"])
    assert len(waiting()) == 1


@pytest.mark.slow
def test_four_processes_may_open_a_new_store_at_once(here):
    Path("mlflow.db").unlink()
    code = (
        "import sys; from plateau_cause import tracking; from plateau_cause.config import params\n"
        "with tracking.stage_run(params.Params(), sys.argv[1]) as run: pass\n"
        "assert run.run_id"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code, name], stderr=subprocess.PIPE, text=True)
        for name in "abcd"
    ]
    assert [(process.communicate()[1], process.returncode) for process in started] == [("", 0)] * 4
    experiment = client().get_experiment_by_name("plateau")
    assert len(client().search_runs([experiment.experiment_id])) == 4
