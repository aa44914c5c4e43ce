"""MLflow and DVC: reachable, not reachable, not there."""

import json
import subprocess

import pytest

from plateau_cause.doctor import remote, services
from plateau_cause.doctor.check import FAIL, OK, WARN


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A DVC project without git, tracking on."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PLATEAU_TRACKING")
    (tmp_path / ".dvc/tmp").mkdir(parents=True)
    return tmp_path


def configure(folder, url=None):
    text = "[core]\n    no_scm = true\n    analytics = false\n"
    if url:
        text += f"    remote = storage\n['remote \"storage\"']\n    url = {url}\n"
    (folder / ".dvc/config").write_text(text)


class TestTracking:
    def test_off(self, monkeypatch):
        monkeypatch.setenv("PLATEAU_TRACKING", "off")
        assert services.tracking().status == OK

    def test_before_the_first_stage(self, here):
        assert services.tracking().status == OK
        assert not (here / "mlflow.db").exists()

    def test_a_server_that_does_not_answer(self, here, monkeypatch):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        found = services.tracking()
        assert found.status == FAIL
        assert "start the server" in found.mend


class TestRemote:
    def test_none(self, here):
        configure(here)
        assert remote.probe() == {"name": None, "url": None, "reason": None}

    def test_a_folder_that_is_not_there_yet(self, here):
        configure(here, here / "store")
        assert remote.probe() == {"name": "storage", "url": str(here / "store"), "reason": None}

    def test_a_folder_that_cannot_be_written(self, here):
        (here / "file").touch()
        configure(here, here / "file/store")
        assert "no permission" in remote.probe()["reason"]

    def test_a_server_that_does_not_answer(self, here):
        configure(here, "http://me:secret@127.0.0.1:9/store")
        found = remote.probe()
        assert found["reason"]
        assert "secret" not in json.dumps(found)

    def test_asked_from_another_process(self, here):
        configure(here)
        found = services.remote()
        assert (found.status, "dvc remote add" in found.mend) == (WARN, True)

    def test_no_dvc_project(self, here):
        (here / ".dvc/tmp").rmdir()
        (here / ".dvc").rmdir()
        assert services.remote().status == FAIL

    def test_one_that_hangs_is_given_up(self, here, monkeypatch):
        def hang(*arguments, **named):
            raise subprocess.TimeoutExpired("remote", named["timeout"])

        monkeypatch.setattr(subprocess, "run", hang)
        assert "no answer within" in services.remote().found
