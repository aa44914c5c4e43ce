"""Runs read back from a real SQLite store; what is not there is one clear line."""

import shutil

import pandas as pd
import pytest

from plateau_cause import tracking
from plateau_cause.config import params
from plateau_cause.errors import PlateauError
from plateau_cause.tracking import read

RUN_ID = "0123456789abcdef" * 2
CSV = "image_id,label,correct\n007,NA,True\n"


@pytest.fixture
def here(tmp_path, monkeypatch, empty_store):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PLATEAU_TRACKING")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    shutil.copy(empty_store, tmp_path)
    return tmp_path


def test_what_a_stage_recorded_comes_back(here):
    with tracking.stage_run(params.Params(), "finetune", "recipe") as run:
        run.log_params({"recipe": {"trainable": "head"}})
        run.log_metrics({"test_accuracy": 0.5}, step=1)
        run.log_metrics({"test_accuracy": 0.75}, step=2)
        run.log_text(CSV, read.PREDICTIONS)
    found = read.run(run.run_id)
    assert found.name == "finetune@recipe"
    assert found.params["recipe.trainable"] == "head"
    assert found.metrics["test_accuracy"] == 0.75
    expected = pd.DataFrame({"image_id": ["007"], "label": ["NA"], "correct": [True]})
    pd.testing.assert_frame_equal(found.predictions, expected)


def test_a_run_without_predictions(here):
    with tracking.stage_run(params.Params(), "embed") as run:
        pass
    assert read.run(run.run_id).predictions is None


def test_a_run_that_is_not_there(here):
    with pytest.raises(PlateauError, match=f"{RUN_ID}: Run with id={RUN_ID} not found"):
        read.run(RUN_ID)


def test_a_store_that_is_not_there_is_not_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PlateauError, match="no runs are recorded here"):
        read.run(RUN_ID)
    assert not list(tmp_path.iterdir())


def test_a_server_that_does_not_answer(here, monkeypatch):
    """On a closed port of this machine; the password stays out of the message."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:secret@127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(PlateauError, match=r"http://127\.0\.0\.1:9: ") as caught:
        read.probe()
    assert "secret" not in str(caught.value)


def test_where_mlflow_shows_the_runs(here, capsys):
    with tracking.stage_run(params.Params(), "embed"):
        pass
    assert read.main("http://127.0.0.1:5000/") == 0
    out = capsys.readouterr().out  # only plateau's own experiment, not MLflow's default
    assert out.startswith(
        "plateau: http://127.0.0.1:5000/#/experiments/1/runs?workflowType=machine_learning&"
    )
    assert out.count("\n") == 1


def test_where_nothing_is_recorded_nothing_is_shown(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert read.main("http://127.0.0.1:5000") == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_store_that_answers(here):
    assert read.probe().endswith("1 experiments")
