"""The real pipeline and real servers: PostgreSQL dies in the middle of finetune; a DVC remote on S3."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from .conftest import PARAMS, Project, merged

LONG = {"trainable": "all", "schedule": {"epochs": 30}, "optimizer": {"learning_rate": 1e-4}}
pytestmark = [pytest.mark.slow, pytest.mark.server]


@pytest.fixture
def long_recipe(finished):
    """The finished project, with a recipe that trains for seconds."""
    finished.write(merged(PARAMS, {"recipe": LONG}))
    finished.repro("plan")
    yield finished
    finished.write(PARAMS)
    finished.repro("plan")


def test_postgres_dies_in_the_middle_of_finetune(long_recipe, stack, monkeypatch):
    monkeypatch.setenv("PLATEAU_TRACKING", "on")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", stack.url)
    client = stack.client()
    with long_recipe.start("sh", "stages/run", "finetune", "recipe") as stage:
        (run,) = wait_for_runs(client)
        assert stage.poll() is None, "the stage ended before the server could die"
        stack.postgres.kill()
        said, _ = stage.communicate()
    assert stage.returncode == 0, said[-3000:]
    assert said.count("failed, the stage goes on") == 1
    stack.postgres.start()
    for _ in range(2):
        sent = long_recipe.run("sh", "stages/run", "-m", "plateau.tracking.outbox")
        assert sent.returncode == 0, sent.stdout
    (ended,) = runs(client)
    assert (ended.info.run_id, ended.info.status) == (run.info.run_id, "FINISHED")
    epochs = client.get_metric_history(run.info.run_id, "train_accuracy")
    assert sorted(point.step for point in epochs) == list(range(31))  # 0: the value of the kept epoch


def wait_for_runs(client, patience_s=60.0):
    end = time.monotonic() + patience_s
    while not (found := runs(client)) and time.monotonic() < end:
        time.sleep(0.1)
    return found


def runs(client):
    experiment = client.get_experiment_by_name(PARAMS["tracking"]["experiment"])
    if experiment is None:
        return []
    return client.search_runs([experiment.experiment_id], "tags.stage = 'finetune'")


def test_a_second_clone_pulls_from_s3_and_runs_nothing(finished, stack, monkeypatch, tmp_path):
    for name, value in stack.bucket.credentials.items():
        monkeypatch.setenv(name, value)
    finished.repro()
    author = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    for command in (
        [dvc(), "remote", "add", "-d", "storage", "s3://plateau/dvc"],
        [dvc(), "remote", "modify", "storage", "endpointurl", stack.bucket.url],
        ["git", "add", "-A"],
        ["git", *author, "commit", "-q", "-m", "finished"],
        [dvc(), "push"],
        ["git", "clone", "-q", ".", tmp_path / "clone"],
    ):
        done = finished.run(*command)
        assert done.returncode == 0, done.stdout
    assert stack.bucket.names("dvc/")
    os.symlink(sys.prefix, tmp_path / "clone/.venv")
    clone = Project(tmp_path / "clone")
    pulled = clone.dvc("pull")
    assert pulled.returncode == 0, pulled.stdout
    page = "reports/plateau_cause.html"
    assert (clone.folder / page).read_bytes() == (finished.folder / page).read_bytes()
    assert clone.repro() == []


def dvc():
    return Path(sys.prefix) / "bin/dvc"
