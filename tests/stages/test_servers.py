"""The real pipeline and real servers: PostgreSQL dies in the middle of finetune; serving; a DVC remote on S3.

The tests run in the order of this file: the model that is served is the one that the first stage logged.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import servers
from PIL import Image

from .conftest import COLOURS, PARAMS, Project, merged

LONG = {"trainable": "all", "schedule": {"epochs": 30}, "optimizer": {"learning_rate": 1e-4}}
pytestmark = [pytest.mark.slow, pytest.mark.server]


@pytest.fixture
def long_recipe(finished):
    """The finished project, with a recipe that trains for seconds."""
    finished.write(merged(PARAMS, {"recipe": LONG}))
    finished.repro("check")
    yield finished
    finished.write(PARAMS)
    finished.repro("check")


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
        sent = long_recipe.run("sh", "stages/run", "-m", "plateau_cause.tracking.outbox")
        assert sent.returncode == 0, sent.stdout
    (ended,) = runs(client)
    assert (ended.info.run_id, ended.info.status) == (run.info.run_id, "FINISHED")
    epochs = client.get_metric_history(run.info.run_id, "train_accuracy")
    assert sorted(point.step for point in epochs) == list(range(31))  # 0: the value of the kept epoch


def test_a_server_ends_though_a_fork_holds_its_pipe(stack, tmp_path):
    """A loader's worker that a test leaves behind would keep the whole suite from ending."""
    server = servers.Bucket(tmp_path)
    server.start()
    fork = os.fork()
    if fork == 0:
        time.sleep(600)
        os._exit(0)
    try:
        server.stop()
        assert not server.is_ready() and server.process.returncode is not None
    finally:
        os.kill(fork, signal.SIGKILL)
        os.waitpid(fork, 0)


@dataclass
class ModelServer(servers.Server):
    """`mlflow models serve`."""

    uri: str = ""

    def command(self):
        address = ["--host", "127.0.0.1", "--port", str(self.port)]
        return [
            sys.executable,
            "-m",
            "mlflow",
            "models",
            "serve",
            "-m",
            self.uri,
            "--env-manager=local",
            *address,
        ]

    def is_ready(self):
        return servers.answers(f"http://127.0.0.1:{self.port}/ping")

    def ask(self, images):
        """Returns the answer to (N, H, W, 3) uint8 images, a row per image."""
        body = json.dumps({"inputs": images.tolist()}).encode()
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/invocations", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return json.load(answer)["predictions"]


def test_the_model_of_that_run_is_served(finished, stack, tmp_path):
    (run,) = runs(stack.client())
    (output,) = run.outputs.model_outputs
    environment = {
        **stack.bucket.credentials,
        "MLFLOW_S3_ENDPOINT_URL": stack.bucket.url,
        "MLFLOW_TRACKING_URI": stack.url,
        "PATH": f"{sys.prefix}/bin{os.pathsep}{os.environ['PATH']}",  # MLflow starts uvicorn by its name
    }
    server = ModelServer(tmp_path, environment=environment, uri=f"models:/{output.model_id}")
    known = pd.read_parquet(finished.folder / "data/arms/recipe/predictions.parquet")
    pictures = [Image.open(finished.folder / "pictures" / name) for name in known["image_id"]]
    with servers.ExitStack() as end:
        answer = servers.started(server, end).ask(np.stack([np.asarray(picture) for picture in pictures]))
    assert [row["label"] for row in answer] == known["predicted"].tolist()
    for row in answer:
        assert sum(row[f"probability: {name}"] for name in COLOURS) == pytest.approx(1, abs=1e-3)


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
    assert clone.repro() == ["check"]


def dvc():
    return Path(sys.prefix) / "bin/dvc"
