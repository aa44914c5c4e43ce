"""The exit status tells decision, failure and mistake apart; a decision that no longer holds is refused."""

import json
from pathlib import Path

import pytest

from plateau_cause.retraining.__main__ import main
from plateau_cause.tracking import registry

DECIDED = {
    "outcome": "better", "status": 0, "promote": True, "promoted": False, "reason": "version 2 is better",
    "model": "plateau", "challenger": {"version": "2"}, "champion": {"version": "1"},
}  # fmt: skip
REFUSED = {
    **DECIDED,
    "outcome": "not_better",
    "status": 3,
    "promote": False,
    "reason": "version 2 is not better",
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A repository root without anything, tracking on."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLATEAU_TRACKING", "on")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    return tmp_path


def decided(content):
    Path("reports").mkdir()
    Path("reports/retrain.json").write_text(json.dumps(content))


def test_tracking_must_be_on(here, monkeypatch, capsys):
    monkeypatch.setenv("PLATEAU_TRACKING", "off")
    assert main([]) == 2
    assert capsys.readouterr().err == (
        "error: PLATEAU_TRACKING: got 'off'; a retraining needs the model registry\n"
    )


def test_a_server_that_is_away_is_a_failure_before_anything_is_trained(here, monkeypatch, capsys):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    decided(DECIDED)
    assert main([]) == 1
    said = capsys.readouterr()
    assert said.err.startswith("error: the model registry at http://127.0.0.1:9 failed")
    assert said.err.count("\n") == 1
    assert "1/5" not in said.out
    assert not Path("reports/retrain.json").exists()  # yesterday's decision is not taken for today's


def test_nothing_decided_is_a_mistake(here, capsys):
    assert main(["promote"]) == 2
    assert "`make retrain` decides first" in capsys.readouterr().err


def test_what_was_refused_stays_refused(here, capsys):
    decided(REFUSED)
    assert main(["promote", "--outputs", "out.txt"]) == 3
    assert capsys.readouterr().out == "5/5  not promoted: version 2 is not better\n"
    assert Path("out.txt").read_text() == "outcome=not_better\npromote=false\nversion=2\n"


@pytest.mark.slow
def test_a_decision_is_carried_out_once_and_only_if_it_still_holds(here, capsys):
    versions = registry.Registry("plateau")
    versions._client.create_registered_model("plateau")
    for _ in range(3):  # without a model: only the aliases matter here
        versions._client.create_model_version("plateau", here.as_uri())
    versions.promote("1")
    decided(DECIDED)
    for _ in range(2):
        assert main(["promote"]) == 0
        assert capsys.readouterr().out == "5/5  promoted: version 2 is better\n"
        assert versions.version(registry.CHAMPION).version == "2"
    versions.promote("3")
    assert main(["promote"]) == 2
    assert "version 2 was compared with champion 1, which is 3 now" in capsys.readouterr().err
    assert versions.version(registry.CHAMPION).version == "3"
