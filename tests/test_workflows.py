"""The CI files call make targets that exist, with no more rights than each job needs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

SCHEMAS = {
    "github": ["vendor.github-workflows"],
    "gitlab": ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"],
}


@pytest.fixture
def retrain(root):
    return yaml.safe_load((root / ".github/workflows/retrain.yml").read_text())["jobs"]


@pytest.fixture
def gitlab(root):
    return yaml.safe_load((root / ".gitlab-ci.yml").read_text())


def files(root):
    return [*(root / ".github/workflows").glob("*.yml"), root / ".gitlab-ci.yml"]


def test_every_target_exists(root):
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(), re.MULTILINE))
    called = {name for file in files(root) for name in re.findall(r"make ([a-z-]+)", file.read_text())}
    assert called >= {"retrain-ci", "retrain-push", "retrain-publish", "retrain-promote"}
    assert called <= targets


def test_actions_are_pinned_to_a_commit_and_say_which(root):
    for file in files(root):
        for action in re.findall(r"uses: (.*)", file.read_text()):
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)


def test_what_trains_cannot_write_to_the_repository(retrain):
    assert retrain["retrain"]["permissions"] == {"contents": "read"}
    assert retrain["promote"]["permissions"] == {"contents": "read"}
    for job in ("retrain", "promote"):
        assert retrain[job]["steps"][0]["with"]["persist-credentials"] is False


def test_what_writes_to_the_repository_sees_no_secret_and_runs_no_model(retrain):
    job = retrain["publish"]
    assert job["permissions"] == {"contents": "write", "pull-requests": "write"}
    assert "secrets." not in yaml.safe_dump(job)
    assert job["runs-on"].startswith("ubuntu")


def test_promotion_waits_for_a_person(retrain, gitlab):
    assert retrain["promote"]["environment"] == gitlab["promote"]["environment"] == "production"
    assert retrain["promote"]["if"] == "needs.retrain.outputs.promote == 'true'"
    assert gitlab["promote"]["when"] == "manual"


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("github", {"on": "push", "jobs": {"x": {"runs_on": "ubuntu-24.04", "steps": []}}}),
        ("gitlab", {"x": {"scripts": ["make lint"]}}),
    ],
)
def test_the_schemas_notice_a_fault(kind, fault, tmp_path):
    (tmp_path / "x.yml").write_text(yaml.safe_dump(fault))
    command = [Path(sys.executable).parent / "check-jsonschema", "--builtin-schema", *SCHEMAS[kind], "x.yml"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 1
