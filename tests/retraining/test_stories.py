"""The retraining as CI runs it: the workflows' own steps, a bare repository, a DVC remote, an MLflow server.

The tests run in the order of this file. A first model, from a dozen drawings, is deployed from a laptop with
`make retrain`. Then good drawings arrive, and the jobs of the GitHub workflow run. Then drawings arrive of
which 40 % carry a wrong label, and the jobs of the GitLab pipeline run.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import drawings
import jobs
import pytest
import yaml

from plateau_cause.tracking import registry

pytestmark = pytest.mark.slow
COPIED = (
    "src", "stages", "ci", ".github", ".gitlab-ci.yml", "dvc.yaml", ".dvc/config", ".dvc/.gitignore",
    ".dvcignore", ".gitignore", "Makefile", "MLproject", "requirements.lock", "pyproject.toml",
)  # fmt: skip
DATA = {"source": "imagefolder", "path": "pictures", "stored_size": 32}
RECIPE = {"optimizer": {"learning_rate": 0.01}, "schedule": {"epochs": 20}, "preprocessing": {"size": 32}}
DIAGNOSIS = {"factors": ["label_noise"], "max_cost": 0.1}  # as little as there is: it takes most of the time
GH = '#!/bin/sh\nfor word; do printf "%s\\n" "$word"; done >>"$GH_LOG"\n'
HOOK = '#!/bin/sh\nfor i in 0 1; do eval echo "\\$GIT_PUSH_OPTION_$i"; done >>options.txt\n'


@dataclass
class World:
    """What the stories share: the bare repository, a colleague's clone, the server's address."""

    folder: Path
    server: str

    @property
    def repository(self) -> Path:
        return self.folder / "repository.git"

    @property
    def desk(self) -> Path:
        return self.folder / "desk"

    def at_the_desk(self, script: str) -> subprocess.CompletedProcess[str]:
        return jobs.shell(script, self.desk, self.environment)

    @property
    def environment(self) -> dict[str, str]:
        names = {
            f"GIT_{who}_{what}": "x@example.org"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        return {"MLFLOW_TRACKING_URI": self.server, "PLATEAU_TRACKING": "on", **names}

    def share(self, message: str) -> None:
        done = self.at_the_desk(
            f"""
            .venv/bin/dvc add -q pictures
            git add -A . && git commit -q -m {message!r}
            .venv/bin/dvc push -q --run-cache
            git push -q origin HEAD:main
            """
        )
        assert done.returncode == 0, done.stdout

    def aliases(self) -> dict[str, str | None]:
        found = registry.Registry("drawings")
        versions = {name: found.version(name) for name in ("champion", "challenger")}
        return {name: version and version.version for name, version in versions.items()}

    def on_branch(self, path: str) -> str:
        command = ["git", "show", f"plateau/retrain:{path}"]
        return subprocess.run(command, cwd=self.repository, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of an MLflow server on loopback."""
    folder = tmp_path_factory.mktemp("mlflow")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{folder}/runs.db",
        "--artifacts-destination", str(folder / "artifacts"), "--host", "127.0.0.1", "--port", str(port),
        "--workers", "1",
    ]  # fmt: skip
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}  # seven processes more
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(  # a session of its own, so that its children end with it
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _wait(f"http://127.0.0.1:{port}/health", process, folder / "log.txt")
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def _wait(address: str, process: subprocess.Popen[bytes], log: Path, patience_s: float = 300.0) -> None:
    end = time.monotonic() + patience_s
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=2).close()
            return
        except OSError:
            time.sleep(0.3)
    raise AssertionError(log.read_text()[-2000:])


@pytest.fixture(scope="module")
def world(tmp_path_factory, server):
    """A project under version control, shared, with a first model deployed."""
    made = World(tmp_path_factory.mktemp("world"), server)
    root = Path(__file__).parents[2]
    for name in COPIED:
        source, target = root / name, made.desk / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy(source, target)
    (made.desk / "params.yaml").write_text(params(root))
    drawings.save(made.desk / "pictures/train", "a", [6, 1, 1, 1], seed=201)
    drawings.save(made.desk / "pictures/val", "v", [4] * 4, seed=202)
    drawings.save(made.desk / "pictures/test", "t", [20] * 4, seed=203)
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", made.repository], check=True)
    subprocess.run(["git", "config", "receive.advertisePushOptions", "true"], cwd=made.repository, check=True)
    hook = made.repository / "hooks/post-receive"
    hook.write_text(HOOK)
    hook.chmod(0o755)
    done = made.at_the_desk(
        f"git init -q -b main && git remote add origin {made.repository} && "
        f"{sys.prefix}/bin/dvc remote add -q -d store {made.folder / 'remote'}"
    )
    assert done.returncode == 0, done.stdout
    jobs.environment_in(made.desk)
    made.share("pictures")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", server)
        yield made


def params(root: Path) -> str:
    """Returns the shipped params.yaml with a sound recipe for small drawings, and a short diagnosis."""
    shipped: dict[str, Any] = yaml.safe_load((root / "params.yaml").read_text())
    recipe = shipped["recipe"] | {"batch_norm": "frozen", "batch_size": 8}
    for name, changes in RECIPE.items():
        recipe[name] = recipe[name] | changes
    recipe["preprocessing"] |= {"mean": "canonical", "std": "canonical"}
    sections = {"data": shipped["data"] | DATA, "diagnosis": shipped["diagnosis"] | DIAGNOSIS}
    return yaml.safe_dump({**shipped, **sections, "recipe": recipe, "tracking": {"experiment": "drawings"}})


def record(text: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(text)
    return content


def test_the_first_model_is_promoted_from_a_laptop(world):
    assert world.aliases() == {"champion": None, "challenger": None}
    done = world.at_the_desk("make retrain")
    assert done.returncode == 0, done.stdout[-4000:]
    assert (
        done.stdout.splitlines()[-1] == "5/5  promoted: version 1 is the first, so nothing has to be beaten"
    )
    assert world.aliases() == {"champion": "1", "challenger": "1"}
    first = registry.Registry("drawings").version("champion")
    assert {"data_digest", "git.commit", "verdict", "primary_cause", "test_accuracy", "recipe"} <= set(
        first.tags
    )
    world.share("the first model")


def test_again_with_nothing_new_is_no_new_version(world):
    done = world.at_the_desk("make retrain")
    assert done.returncode == 0
    assert "version 1 is deployed already" in done.stdout.splitlines()[-1]
    assert re.findall(r"Running stage '(\w+)", done.stdout) == ["check"]
    assert world.aliases() == {"champion": "1", "challenger": "1"}


def test_good_drawings_are_promoted_by_the_jobs_of_the_github_workflow(world, tmp_path):
    drawings.save(world.desk / "pictures/train", "b", [20] * 4, seed=204)
    world.share("more pictures")
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "gh").write_text(GH)
    (bin_folder / "gh").chmod(0o755)
    workflow = jobs.load(world.desk / ".github/workflows/retrain.yml")
    github = jobs.GitHub(world.repository, tmp_path, {"MLFLOW_TRACKING_URI": world.server}, workflow=workflow)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{bin_folder}:{os.environ['PATH']}")
        patch.setenv("GH_LOG", str(tmp_path / "gh.txt"))
        patch.setenv("PLATEAU_TRACKING", "on")
        assert github.job("retrain"), github.log
        assert github.needs["retrain"]["outputs"] == {"promote": "true"}
        assert world.aliases() == {"champion": "1", "challenger": "2"}  # decided, not yet done
        assert github.job("publish")
        assert github.job("promote")
    assert world.aliases() == {"champion": "2", "challenger": "2"}
    found = record(world.on_branch("reports/retrain.json"))
    assert (found["outcome"], found["status"]) == ("better", 0)
    assert found["comparison"]["compared_images"] == 80
    assert found["comparison"]["ci"][0] > 0
    assert (found["drift"]["new_images"], found["drift"]["gone_images"]) == (80, 0)
    assert found["drift"]["note"] == "the deployed model has 9 training images, too few to test"
    changed = world.at_the_desk(
        "git fetch -q && git diff --name-only main origin/plateau/retrain"
    ).stdout.split()
    assert "dvc.lock" in changed
    assert {Path(name).parts[0] for name in changed} == {"dvc.lock", "reports"}
    assert world.on_branch("dvc.lock") == (tmp_path / "retrain/dvc.lock").read_text()
    said = (tmp_path / "gh.txt").read_text()
    assert "create\n--head\nplateau/retrain\n--title\nRetraining: version 2 is better\n" in said
    assert "of version 1 on 80 test images" in (tmp_path / "summary.md").read_text()


def test_wrong_labels_are_not_promoted_by_the_jobs_of_the_gitlab_pipeline(world, tmp_path):
    assert world.at_the_desk("git merge -q origin/plateau/retrain").returncode == 0
    drawings.save(world.desk / "pictures/train", "c", [30] * 4, seed=205, wrong_frac=0.4)
    world.share("doubtful pictures")
    settings = {**world.environment, "CI_DEFAULT_BRANCH": "main", "CI_SERVER_HOST": "localhost"}
    gitlab = jobs.GitLab(
        world.repository, tmp_path, settings, pipeline=jobs.load(world.desk / ".gitlab-ci.yml")
    )
    assert gitlab.job("retrain") == 0, gitlab.log[-4000:]
    assert world.aliases() == {"champion": "2", "challenger": "3"}
    assert gitlab.job("publish") == 0, gitlab.log[-4000:]
    assert gitlab.job("promote") != 0
    assert world.aliases() == {"champion": "2", "challenger": "3"}
    found = record(world.on_branch("reports/retrain.json"))
    assert (found["outcome"], found["status"], found["promote"]) == ("not_better", 3, False)
    assert found["champion"]["version"] == "2"
    assert "5/5  not promoted: version 3 is not better by more than noise" in gitlab.log
    assert found["comparison"]["effect"] < 0.05
    assert (found["drift"]["new_images"], found["drift"]["note"]) == (120, None)
    assert found["drift"]["test"]["auc"] < 0.75  # the images are drawn by the same hand: the labels are not
    options = (world.repository / "options.txt").read_text()
    assert "merge_request.create\nmerge_request.target=main" in options


def test_the_exit_status_says_that_it_was_not_better(world, tmp_path):
    done = world.at_the_desk(
        "git fetch -q && git checkout -q origin/plateau/retrain -- reports && "
        "sh stages/run -m plateau_cause.retraining promote"
    )
    assert done.returncode == 3, done.stdout
    assert world.aliases() == {"champion": "2", "challenger": "3"}


def test_both_deployed_models_answer_by_their_alias(world):
    import mlflow
    import numpy as np

    mlflow.set_tracking_uri(world.server)
    model = mlflow.pyfunc.load_model("models:/drawings@champion")
    images = np.stack([np.asarray(drawings.draw("disc", np.random.default_rng(i))) for i in range(2)])
    answer = model.predict(images)
    assert set(answer["label"]) <= set(drawings.CORNERS)
    assert model.metadata.signature is not None
