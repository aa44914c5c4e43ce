"""What a retraining asks of DVC, by the real DVC in a small repository."""

import subprocess
import sys

import pytest

from plateau_cause.errors import PlateauError
from plateau_cause.pipeline import paths
from plateau_cause.retraining import pipeline


def run(*command):
    subprocess.run(command, check=True, capture_output=True)


def dvc(*arguments):
    run(sys.executable, "-m", "dvc", *arguments)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A repository with one data file, and a folder elsewhere that serves as a source."""
    (tmp_path / "project").mkdir()
    (tmp_path / "elsewhere.txt").write_text("old")
    monkeypatch.chdir(tmp_path / "project")
    run("git", "init", "-q")
    dvc("init", "-q")
    (tmp_path / "project/own.txt").write_text("mine")
    dvc("add", "-q", "own.txt")
    return tmp_path


def test_imported_data_are_brought_up_to_date(project):
    dvc("import-url", "-q", str(project / "elsewhere.txt"), "theirs.txt")
    assert pipeline.imports() == ["theirs.txt.dvc"]
    (project / "elsewhere.txt").write_text("new")
    pipeline.pull()
    assert (project / "project/theirs.txt").read_text() == "new"


def test_without_a_remote_nothing_is_pulled(project, capfd):
    pipeline.pull()
    assert "no DVC remote is configured" in capfd.readouterr().out


def test_what_a_clone_lacks_is_pulled(project):
    dvc("remote", "add", "-q", "-d", "store", str(project / "store"))
    dvc("push", "-q")
    (project / "project/own.txt").unlink()
    run("rm", "-r", ".dvc/cache")
    pipeline.pull()
    assert (project / "project/own.txt").read_text() == "mine"


def test_remotes_without_a_default_are_one_line(project):
    dvc("remote", "add", "-q", "store", str(project / "store"))
    with pytest.raises(PlateauError, match="none of store is the default"):
        pipeline.pull()


def test_a_stage_that_fails_is_a_failure(project, capfd):
    (project / "project/dvc.yaml").write_text("stages: {broken: {cmd: 'false'}}\n")
    with pytest.raises(pipeline.PipelineError, match="`dvc repro` failed"):
        pipeline.reproduce()
    assert "broken" in capfd.readouterr().err


def test_a_lock_that_a_kill_left_half_written_stops_no_job(project):
    (project / "project/dvc.yaml").write_text("stages: {one: {cmd: echo 1 > one.txt, outs: [one.txt]}}\n")
    (project / "project" / paths.DVC_LOCK).write_text("")
    pipeline.reproduce()
    assert (project / "project/one.txt").read_text() == "1\n"
