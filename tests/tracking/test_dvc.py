"""A real `dvc repro` of stages that only record: what DVC notes, and when, is what attempts rest on."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from plateau_cause.pipeline import lock

DVC = Path(sys.prefix) / "bin/dvc"
STAGE = """
import sys
from pathlib import Path
from plateau_cause import tracking
from plateau_cause.config import params

name = sys.argv[1]
with tracking.stage_run(params.Params(), name) as run:
    with run.child(f"{name} child") as child:
        child.log_metrics({"test_accuracy": 0.5})
Path(f"{name}.txt").write_text(Path("given.txt").read_text())
"""
PIPELINE = """
stages:
  check: {cmd: cp given.txt checked.txt, always_changed: true, outs: [checked.txt]}
  first:
    cmd: PYTHON stage.py first
    deps: [checked.txt]
    outs: [first.txt, reports/runs/first.json]
  second:
    cmd: PYTHON stage.py second
    deps: [first.txt]
    outs: [second.txt, reports/runs/second.json]
"""
ONCE = {"first": 1, "first child": 1, "second": 1, "second child": 1}
pytestmark = pytest.mark.slow


@pytest.fixture
def pipeline(tmp_path, monkeypatch, empty_store):
    """A DVC project of two stages that record, and one before them that always runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLATEAU_TRACKING", "on")
    shutil.copy(empty_store, tmp_path)
    subprocess.run([DVC, "init", "--no-scm", "-q"], check=True)
    Path("stage.py").write_text(STAGE)
    Path("dvc.yaml").write_text(PIPELINE.replace("PYTHON", sys.executable))
    Path("given.txt").write_text("1")
    return tmp_path


def repro():
    done = subprocess.run([DVC, "repro"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@contextlib.contextmanager
def killed():
    """Starts `dvc repro`, and kills it with its stage at the end of the block."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen([DVC, "repro"], start_new_session=True, stdout=quiet, stderr=quiet)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def stands():
    """Returns how often each run stands in MLflow, once none is other than finished."""
    import mlflow

    client = mlflow.MlflowClient(f"sqlite:///{Path.cwd()}/mlflow.db")
    experiment = client.get_experiment_by_name("plateau")
    runs = client.search_runs([experiment.experiment_id])
    assert {run.info.status for run in runs} == {"FINISHED"}
    return dict(Counter(run.info.run_name for run in runs))


def test_killed_between_the_end_of_a_stage_and_dvcs_note_of_it(pipeline):
    with killed() as process:
        noted = Path(".plateau/attempts/first")
        while process.poll() is None and not (noted.exists() and " " in noted.read_text()):
            time.sleep(0.001)
    assert "first" not in Path("dvc.lock").read_text()
    repro()
    assert stands() == ONCE
    assert list(Path(".plateau/outbox").iterdir()) == []


def test_what_dvc_knows_is_never_replaced(pipeline):
    repro()
    lock = Path("dvc.lock").read_text()
    Path("given.txt").write_text("2")
    repro()
    assert stands() == dict.fromkeys(ONCE, 2)
    Path("dvc.lock").write_text(lock)  # as `git restore` does with an experiment that is given up
    Path("given.txt").write_text("3")
    repro()
    assert stands() == dict.fromkeys(ONCE, 3)


def test_killed_at_random_moments(pipeline):
    moments = random.Random(1)
    for _ in range(6):
        with killed() as process, contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(moments.uniform(0.5, 12.0))
    lock.clear_if_broken(pipeline)  # as whatever runs `dvc repro` here does: a kill may hit DVC as it writes
    repro()
    assert stands() == ONCE
    assert list(Path(".plateau/outbox").iterdir()) == []
