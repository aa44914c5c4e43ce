"""The commands on a diagnosis that really ran, and `plateau diagnose` to its end.

Another file in the same project shares what is finished: its workspace trains no arm that was trained before.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest
import yaml

from plateau_cause.report.schema import validate

from .conftest import PARAMS, merged

pytestmark = pytest.mark.slow


def plateau(project, *arguments, folder=""):
    """Runs `plateau` in the project with the project's own code."""
    environment = {**os.environ, "PYTHONPATH": f"{project.folder / 'src'}:{os.environ['PYTHONPATH']}"}
    return subprocess.run(
        [sys.executable, "-m", "plateau_cause", *arguments],
        cwd=project.folder / folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_report_from_a_folder_inside(finished):
    ended = plateau(finished, "report", folder="reports/plots")
    summary = json.loads((finished.folder / "reports/plateau_cause.json").read_text())
    assert ended.returncode == 0, ended.stderr
    assert " ".join(ended.stdout.split()).startswith(summary["headline"])
    page = plateau(finished, "report", "--format", "html").stdout
    assert page.rstrip() == (finished.folder / "reports/plateau_cause.html").read_text().rstrip()


def test_compare_two_arms(finished):
    ended = plateau(finished, "compare", "recipe", "reference", "--json")
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    accuracy = [run["accuracy"]["test"] for run in found["runs"]]
    assert found["paired"]["effect"] == pytest.approx(accuracy[1] - accuracy[0])
    assert found["differences"]["recipe.optimizer.learning_rate"][0] == "1e-08"


def test_compare_every_swap_of_the_report(finished):
    summary = json.loads((finished.folder / "data/interventions/findings.json").read_text())
    arms = json.loads((finished.folder / "data/interventions/arms.json").read_text())
    assert {run["name"] for run in summary["runs"]} == set(arms)
    swap = next(name for name in arms if name.startswith("recipe + "))
    found = json.loads(plateau(finished, "compare", "recipe", swap, "--json").stdout)
    assert found["differences"]


def test_compare_with_what_was_committed(finished):
    identity = ("-c", "user.name=nobody", "-c", "user.email=nobody@localhost")
    finished.run("git", "add", "dvc.yaml", "dvc.lock", "params.yaml", "reports", ".dvc/config")
    assert finished.run("git", *identity, "commit", "-qm", "diagnosed").returncode == 0
    found = json.loads(plateau(finished, "compare", "HEAD", "recipe", "--json").stdout)
    assert found["paired"]["effect"] == 0, "the same predictions, from DVC's cache and from the diagnosis"
    assert found["paired"]["images"] == 18


def test_diagnose_in_the_project_runs_what_changed_and_prints_what_was_found(finished):
    before = (finished.folder / "params.yaml").read_bytes()
    ended = plateau(finished, "diagnose", "params.yaml")
    assert ended.returncode == 0, ended.stderr
    ran = [line for line in ended.stdout.splitlines() if line.startswith("Running stage")]
    assert ran == ["Running stage 'check':"]  # it looks at the user's own files every time
    assert "Causes, the largest first" in ended.stdout
    assert ended.stdout.rstrip().endswith("All of it: reports/plateau_cause.html")
    assert (finished.folder / "params.yaml").read_bytes() == before


def test_diagnose_another_file_trains_nothing_twice(finished):
    """The same recipe, data named by another path: stages run, arms and swaps are found finished."""
    before = (finished.folder / "params.yaml").read_bytes()
    trained = {path.name for path in (finished.folder / ".plateau/runs").iterdir()}
    other = finished.folder / "experiments/other.yaml"
    other.parent.mkdir()
    other.write_text(yaml.safe_dump(merged(PARAMS, {"data": {"path": "../pictures"}})))
    ended = plateau(finished, "diagnose", "experiments/other.yaml")
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-2000:]
    assert set(re.findall(r"Running stage '([^']+)'", ended.stdout)) >= {"prepare_data", "intervene"}
    assert {path.name for path in (finished.folder / ".plateau/runs").iterdir()} == trained
    workspace = finished.folder / "experiments/other.plateau"
    summary = json.loads((workspace / "reports/plateau_cause.json").read_text())
    validate(summary)
    assert summary["causes"][0]["cause"] == "learning_rate_low"
    assert "The learning rate is too low" in ended.stdout
    assert (finished.folder / "params.yaml").read_bytes() == before
    assert "other.plateau" not in finished.run("git", "status", "--porcelain").stdout
