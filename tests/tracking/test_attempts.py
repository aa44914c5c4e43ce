"""After a kill, the next run of a stage sets MLflow right: nothing runs on, nothing stands there twice."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from plateau_cause import tracking
from plateau_cause.config import params
from plateau_cause.tracking import attempts, outbox, store
from plateau_cause.tracking import stage as stage_module
from plateau_cause.tracking.journal import Journal

from .conftest import AWAY

MOMENTS = ("before the run", "in the run", "in a child", "after the child", "at the end")
STAGE = """
import os, sys
import numpy as np
from plateau_cause import tracking
from plateau_cause.config import params
from tracking.conftest import Constant

stage, moment = sys.argv[1:]

def reaches(here):
    if moment == here:
        os.kill(os.getpid(), 9)

if moment == "before the run":
    from plateau_cause.tracking.run import Run
    Run.start = lambda *_: reaches("before the run")
with tracking.stage_run(params.Params(), stage) as run:
    reaches("in the run")
    run.log_text("x", "report/x.txt")
    with run.child("swap") as child:
        child.log_metrics({"test_accuracy": 0.5})
        reaches("in a child")
    run.log_model(Constant(), np.zeros((1, 8, 8, 3), np.uint8))
    reaches("after the child")
reaches("at the end")
"""


@pytest.fixture
def under_dvc(here, monkeypatch):
    """A repository root in which DVC runs a stage."""
    monkeypatch.setenv("DVC_STAGE", "intervene")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{here}/mlflow.db")
    Path("dvc.lock").write_text("schema: '2.0'\n")
    Path(".dvc/cache").mkdir(parents=True)
    return here


def client():
    import mlflow

    return mlflow.MlflowClient(tracking.tracking_uri())


def stands():
    """Returns name and status of every run in the experiment, and how many models there are."""
    experiment = client().get_experiment_by_name("plateau")
    if experiment is None:
        return [], 0
    runs = client().search_runs([experiment.experiment_id])
    models = client().search_logged_models([experiment.experiment_id])
    return sorted((run.info.run_name, run.info.status) for run in runs), len(models)


def attempt(stage="intervene", moment="never"):
    """Runs a stage in a process of its own, which may be killed at a moment."""
    search = os.pathsep.join([os.environ["PYTHONPATH"], str(Path(__file__).parents[1])])
    environment = {**os.environ, "PYTHONPATH": search}
    return subprocess.run([sys.executable, "-c", STAGE, stage, moment], env=environment, check=False)


def cut_off(stage="intervene", children=("swap",)):
    """Leaves what a stage leaves that is killed: no end of its runs, a journal that nobody holds."""
    recorder = stage_module._recorder(stage)
    opened = stage_module._started(recorder, params.Params(), stage, {})
    for name in children:
        with opened.child(name) as child:
            child.log_metrics({"test_accuracy": 0.5})
    recorder.journal.release()
    return opened


def whole(stage="intervene", children=("swap",)):
    """Runs a stage to its end."""
    with tracking.stage_run(params.Params(), stage) as run:
        for name in children:
            with run.child(name) as child:
                child.log_metrics({"test_accuracy": 0.5})
    return run


def take_note(stage="intervene"):
    """Does what DVC does when a stage has ended: the run cache first, then dvc.lock."""
    record = Path(f"reports/runs/{stage}.json")
    note = f"outs:\n- path: {record}\n  md5: {hashlib.md5(record.read_bytes()).hexdigest()}\n"
    kept = Path(".dvc/cache/runs/ab/abc/def")
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(note)
    Path("dvc.lock").write_text(note)


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_and_run_again_everything_is_there_once(under_dvc, moment):
    assert attempt(moment=moment).returncode == -9
    assert attempt().returncode == 0
    assert stands() == ([("intervene", "FINISHED"), ("swap", "FINISHED")], 1)
    assert list((under_dvc / ".plateau/outbox").iterdir()) == []


def test_killed_twice_the_third_stands_alone(under_dvc):
    cut_off()
    cut_off(children=("swap", "other swap"))
    last = whole()
    assert stands()[0] == [("intervene", "FINISHED"), ("swap", "FINISHED")]
    assert client().get_run(last.run_id).info.lifecycle_stage == "active"
    assert list((under_dvc / ".plateau/outbox").iterdir()) == []


def test_killed_before_dvc_took_note_of_its_end(under_dvc):
    first = whole()
    second = whole()
    assert first.run_id != second.run_id
    assert stands()[0] == [("intervene", "FINISHED"), ("swap", "FINISHED")]


def test_what_dvc_knows_stays(under_dvc):
    whole()
    take_note()
    whole()
    take_note()
    assert stands()[0] == [("intervene", "FINISHED")] * 2 + [("swap", "FINISHED")] * 2


def test_a_kill_long_ago_takes_nothing_from_what_dvc_knows(under_dvc):
    cut_off()
    whole()
    take_note()
    cut_off()
    whole()
    assert stands()[0] == [("intervene", "FINISHED")] * 2 + [("swap", "FINISHED")] * 2


def test_what_dvc_wrote_of_other_stages_says_nothing_of_this_one(under_dvc):
    whole()
    Path("dvc.lock").write_text("schema: '2.0'\nstages: {}\n")  # `check` runs every time
    whole()
    assert stands()[0] == [("intervene", "FINISHED"), ("swap", "FINISHED")]


def test_an_experiment_that_was_reverted_stays(under_dvc):
    before = Path("dvc.lock").read_text()
    whole()
    take_note()
    Path("dvc.lock").write_text(before)  # git restore dvc.lock params.yaml
    whole()
    assert stands()[0] == [("intervene", "FINISHED")] * 2 + [("swap", "FINISHED")] * 2


def test_where_dvcs_cache_is_elsewhere_nothing_that_ended_is_deleted(under_dvc):
    Path(".dvc/cache").rmdir()
    whole()
    cut_off()
    whole()
    assert stands()[0] == [("intervene", "FINISHED")] * 2 + [("swap", "FINISHED")] * 2


def test_a_failure_and_ctrl_c_give_way_too(under_dvc):
    for error in (ValueError, KeyboardInterrupt):
        with pytest.raises(error), tracking.stage_run(params.Params(), "intervene") as run:
            with run.child("swap"):
                pass
            raise error
    whole()
    assert stands()[0] == [("intervene", "FINISHED"), ("swap", "FINISHED")]


def test_another_stage_ends_what_was_killed(under_dvc):
    cut_off("intervene")
    whole("embed", children=())
    assert stands()[0] == [("embed", "FINISHED"), ("intervene", "KILLED"), ("swap", "FINISHED")]
    whole("intervene")
    assert stands()[0] == [("embed", "FINISHED"), ("intervene", "FINISHED"), ("swap", "FINISHED")]


def test_arms_of_one_stage_do_not_give_way_to_each_other(under_dvc):
    for arm in ("recipe", "reference"):
        with tracking.stage_run(params.Params(), "finetune", arm=arm):
            pass
    assert stands()[0] == [("finetune@recipe", "FINISHED"), ("finetune@reference", "FINISHED")]


def test_outside_dvc_every_run_stands_for_itself_and_none_runs_on(here):
    cut_off()
    whole()
    assert stands()[0] == [("intervene", "FINISHED"), ("intervene", "KILLED")] + [("swap", "FINISHED")] * 2


@pytest.mark.parametrize("later", [False, True], ids=["back for the next attempt", "back after it"])
def test_killed_while_the_server_was_away(under_dvc, monkeypatch, later):
    def gone():
        raise ConnectionError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(store, "open_client", gone)
        cut_off()
        if later:
            whole()
    if not later:
        whole()
    assert outbox.flush().left == {}
    assert stands()[0] == [("intervene", "FINISHED"), ("swap", "FINISHED")]


def test_killed_on_the_server_and_run_again_while_it_was_away(under_dvc):
    cut_off()
    with store.environment(MLFLOW_TRACKING_URI=AWAY):
        whole()
    assert outbox.flush().left == {}
    assert stands()[0] == [("intervene", "FINISHED"), ("swap", "FINISHED")]


def test_under_mlflow_run_too(under_dvc, monkeypatch):
    parent = client().create_run(client().create_experiment("plateau"))
    monkeypatch.setenv("MLFLOW_RUN_ID", parent.info.run_id)
    cut_off()
    whole()
    own = parent.info.run_name
    assert [run for run in stands()[0] if run[0] != own] == [("intervene", "FINISHED"), ("swap", "FINISHED")]


def test_a_stage_that_runs_beside_is_left_alone(under_dvc):
    with tracking.stage_run(params.Params(), "embed"):
        whole()
        assert ("embed", "RUNNING") in stands()[0]
    assert ("embed", "FINISHED") in stands()[0]


def test_a_journal_without_a_word_is_swept_away(here):
    Journal.create("embed").release()
    whole("embed", children=())
    assert list((here / ".plateau/outbox").iterdir()) == []


def test_a_disk_that_takes_no_note_stops_nothing(under_dvc):
    Path(".plateau").mkdir(exist_ok=True)
    attempts.ATTEMPTS.write_text("not a folder")
    whole()
    assert stands()[0] == [("intervene", "FINISHED"), ("swap", "FINISHED")]
