"""plateau retrain: in the project, with the arguments and the exit status of the retraining itself."""

import json

import pytest

REFUSED = {
    "outcome": "not_better",
    "status": 3,
    "promote": False,
    "promoted": False,
    "reason": "version 2 is not better",
    "model": "plateau",
    "challenger": {"version": "2"},
    "champion": {"version": "1"},
}


@pytest.fixture
def decided(finished, monkeypatch):
    """A project that has decided not to promote; the command is given in a folder inside."""
    monkeypatch.setenv("PLATEAU_TRACKING", "on")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{finished}/mlflow.db")
    (finished / "reports/retrain.json").write_text(json.dumps(REFUSED))
    monkeypatch.chdir(finished / "data")
    return finished


def test_what_was_refused_stays_refused(call, decided, monkeypatch):
    monkeypatch.chdir(decided / "data")
    ended = call("retrain", "promote", "--outputs", "out.txt")
    assert (ended.status, ended.out) == (3, "5/5  not promoted: version 2 is not better\n")
    assert "outcome=not_better" in (decided / "data/out.txt").read_text()


def test_outside_a_project(call):
    ended = call("retrain", "promote")
    assert ended.status == 2
    assert "no plateau project" in ended.err


def test_tracking_must_be_on(call, decided, monkeypatch):
    monkeypatch.setenv("PLATEAU_TRACKING", "off")
    ended = call("retrain", "--no-promote")
    assert (ended.status, ended.err.count("\n")) == (2, 1)
