"""`dvc repro`, killed with SIGKILL again and again at random moments: the report is the same in the end.

And MLflow has every run once: none that runs on, none twice, nothing left to send.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from .conftest import Project, draw_pictures, make_project

KILLS = int(os.environ.get("PLATEAU_TEST_KILLS", "6"))
LATEST_S = 14.0  # a stage of these takes seconds: kills fall into starts, trainings, ends, and DVC's own work
VARIES = ("run_id", "runs", "cost", "seconds", "url")  # from run to run, whatever happens
# Two whole diagnoses, and what the kills let through: 370 s on two idle cores, more beside another test.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]


@pytest.fixture
def tracked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project of its own that records its runs."""
    monkeypatch.setenv("PLATEAU_TRACKING", "on")
    made = make_project(Path(__file__).parents[2], tmp_path)
    draw_pictures(tmp_path / "pictures")
    return made


def test_killed_at_random_moments_it_gives_the_same_and_every_run_once(finished, tracked):
    moments = random.Random(0)
    for _ in range(KILLS):
        _killed(tracked, moments.uniform(0.5, LATEST_S))
    subprocess.run(["sh", "stages/run", "check"], cwd=tracked.folder, check=True)  # as `make repro` begins
    tracked.repro()
    assert _timeless(_summary(tracked)) == _timeless(_summary(finished))
    runs, models = _recorded(tracked)
    assert {status for _, status in runs} == {"FINISHED"}
    counts = Counter(name for name, _ in runs if not name.startswith("candidate"))  # these may share a name
    assert set(counts.values()) == {1}
    assert {"prepare_data", "finetune@recipe", "finetune@reference", "intervene", "summarize"} <= {
        name for name, _ in runs
    }
    assert models == 2
    assert list((tracked.folder / ".plateau/outbox").iterdir()) == []
    _records_name_runs(tracked, runs)


def _killed(project: Project, after_s: float) -> None:
    """Starts `dvc repro` and kills it, with what it has started, unless it ends before."""
    process = subprocess.Popen(
        [Path(sys.prefix) / "bin/dvc", "repro"], cwd=project.folder, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(after_s)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    time.sleep(0.5)  # what looks after the stage of a warm process ends it when its client is gone


def _summary(project: Project) -> dict:
    return json.loads((project.folder / "reports/plateau_cause.json").read_text())


def _timeless(content):
    """Returns the content without what varies from run to run."""
    if isinstance(content, dict):
        kept = {key: value for key, value in content.items() if not any(word in key for word in VARIES)}
        return {key: _timeless(value) for key, value in kept.items()}
    return [_timeless(item) for item in content] if isinstance(content, list) else content


def _recorded(project: Project) -> tuple[list[tuple[str, str]], int]:
    """Returns name and status of every run that stands in MLflow, and how many models do."""
    import mlflow

    client = mlflow.MlflowClient(f"sqlite:///{project.folder}/mlflow.db")
    experiment = client.get_experiment_by_name("plateau")
    runs = client.search_runs([experiment.experiment_id], max_results=1000)
    models = client.search_logged_models([experiment.experiment_id])
    return [(str(run.info.run_name), run.info.status) for run in runs], len(models)


def _records_name_runs(project: Project, runs: list[tuple[str, str]]) -> None:
    """Asserts that what the stages left on disk names the runs that stand in MLflow, and no other."""
    records = [json.loads(path.read_text()) for path in (project.folder / "reports/runs").glob("*.json")]
    begun = [record for record in records if record["run_id"] is not None]
    named = {name for record in begun for name in (record["name"], *record["children"])}
    assert named == {name for name, _ in runs}
