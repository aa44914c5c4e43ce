"""What a server has missed is sent later, each thing once, whatever fails or is killed on the way."""

import contextlib
import shutil
import subprocess
import sys
import threading

import pytest

from plateau_cause import tracking
from plateau_cause.config import params
from plateau_cause.tracking import find, outbox, store
from plateau_cause.tracking.journal import Journal, waiting

from .conftest import AWAY, holdings, record, record_a_stage

DIES = (
    "import os; from plateau_cause import tracking; from plateau_cause.config import params\n"
    "with tracking.stage_run(params.Params(), 'embed') as run:\n"
    "    run.log_metrics({'a': 1})\n"
    "    os._exit(9)\n"
)


def client():
    import mlflow

    return mlflow.MlflowClient(tracking.tracking_uri())


@pytest.fixture
def away(here, monkeypatch):
    """Returns a context in which the server cannot be reached; afterwards one is named that can."""

    @contextlib.contextmanager
    def away():
        with store.environment(MLFLOW_TRACKING_URI=AWAY):
            yield
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{here}/mlflow.db")

    return away


class Unreliable:
    """A client that fails at its n-th call, before or after the server has done what it was asked."""

    def __init__(self, client, calls, is_done):
        self.client, self.calls, self.is_done = client, calls, is_done

    def __getattr__(self, name):
        def call(*args, **others):
            self.calls -= 1
            if self.calls == 0 and not self.is_done:
                raise ConnectionError("the server is gone")
            answer = getattr(self.client, name)(*args, **others)
            if self.calls == 0:
                raise ConnectionError("the answer is lost")
            return answer

        return call


def test_everything_arrives_as_if_the_server_had_been_there(here, away):
    import mlflow

    with away():
        offline = record_a_stage()
    assert record("finetune@recipe")["run_id"] == offline.key
    assert not here.joinpath("mlartifacts").exists()
    flushed = outbox.flush()
    assert (len(flushed.sent), flushed.left, waiting()) == (1, {}, [])
    online = record_a_stage()
    first, second = (
        [held for held in holdings(client()) if find.RUN_KEY in held["tags"] and held["name"] == name]
        for name in ("finetune@recipe", "swap trainable")
    )
    for sent, direct in (first, second):
        assert set(sent["metrics"]) == set(direct["metrics"])
        for key in ("name", "status", "params", "files", "inputs", "models", "outputs"):
            assert sent[key] == direct[key]
        assert set(sent["tags"]) == set(direct["tags"])
    sent_id = find.run_id(client(), offline.key)
    assert sent_id != online.run_id
    (output,) = client().get_run(sent_id).outputs.model_outputs
    loaded = mlflow.pyfunc.load_model(f"models:/{output.model_id}")
    assert list(loaded.predict(loaded.input_example)["label"]) == ["seven"]
    assert (loaded.metadata.run_id, loaded.metadata.model_id) == (sent_id, output.model_id)


@pytest.mark.slow
@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
def test_a_server_that_dies_at_any_call_gets_everything_once(here, away, empty_store, monkeypatch, is_done):
    with away():
        record_a_stage()
    (journal,) = waiting()
    shutil.copytree(journal.folder, here / "twin" / journal.name)
    outbox.flush(here / "twin")
    expected = holdings(client())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{shutil.copy(empty_store, here / 'other.db')}")
    calls = 1
    while _flush_until(monkeypatch, calls, is_done).left:
        calls += 1
    assert calls > 15
    assert holdings(client()) == expected


def _flush_until(monkeypatch, calls, is_done):
    with monkeypatch.context() as patch:
        unreliable = Unreliable(store.open_client(), calls, is_done)
        patch.setattr(store, "open_client", lambda: unreliable)
        return outbox.flush()


def test_sent_twice_it_is_there_once(here, away):
    with away():
        record_a_stage()
    (journal,) = waiting()
    shutil.copytree(journal.folder, here / "twin" / journal.name)
    outbox.flush()
    before = holdings(client())
    assert outbox.flush(here / "twin").left == {}
    assert holdings(client()) == before
    assert outbox.flush().sent == []


def test_of_a_run_that_a_lost_answer_created_twice_one_goes(here, away):
    with away(), tracking.stage_run(params.Params(), "embed") as run:
        run.log_metrics({"a": 1})
    experiment = store.experiment_id(client(), "plateau")
    for start_ms in (2, 1):
        client().create_run(experiment, start_ms, {find.RUN_KEY: run.key})
    outbox.flush()
    (kept,) = client().search_runs([experiment])
    assert (kept.info.start_time, kept.data.metrics["a"]) == (1, 1.0)


def test_a_server_that_dies_and_comes_back_during_the_stage(here, capsys, monkeypatch):
    import mlflow

    with tracking.stage_run(params.Params(), "embed") as run:
        with monkeypatch.context() as patch:
            patch.setattr(mlflow.MlflowClient, "log_batch", _refuse)
            run.log_metrics({"a": 1})
        run.log_metrics({"b": 1})
    first, second = capsys.readouterr().err.splitlines()
    assert "failed, the stage goes on" in first
    assert "answers again" in second
    assert waiting() == []
    assert {"a", "b"} <= set(client().get_run(record("embed")["run_id"]).data.metrics)


def test_a_server_that_dies_for_good(here, capsys, monkeypatch):
    import mlflow

    with monkeypatch.context() as patch:
        with tracking.stage_run(params.Params(), "embed") as run:
            patch.setattr(mlflow.MlflowClient, "log_batch", _refuse)
            run.log_metrics({"a": 1})
            with run.child("swap") as child:
                child.log_metrics({"a": 1})
        assert capsys.readouterr().err.count("gone") == 1
        assert outbox.flush().sent == []
    found = record("embed")
    assert client().get_run(found["run_id"]).info.run_name == "embed"  # it was opened before the server died
    assert found["children"] == {"swap": child.key}
    outbox.flush()
    run_id = find.run_id(client(), child.key)
    assert client().get_run(run_id).data.tags["mlflow.parentRunId"] == found["run_id"]


def _refuse(*args, **kwargs):
    raise ConnectionError("gone")


def test_a_stage_that_was_killed_is_recorded_as_killed(here):
    ended = subprocess.run([sys.executable, "-c", DIES], check=False)
    assert ended.returncode == 9
    (run,) = client().search_runs([store.experiment_id(client(), "plateau")])
    assert run.info.status == "RUNNING"
    assert len(outbox.flush().sent) == 1
    (run,) = client().search_runs([run.info.experiment_id])
    assert (run.info.status, run.data.metrics) == ("KILLED", {"a": 1.0})


def test_the_journal_of_a_running_stage_stays(here):
    with tracking.stage_run(params.Params(), "embed") as run:
        flushed = outbox.flush()
        assert (flushed.sent, len(flushed.running)) == ([], 1)
        run.log_metrics({"a": 1})
    assert client().get_run(run.run_id).data.metrics["a"] == 1
    assert list((here / ".plateau/outbox").iterdir()) == []


def test_what_mlflow_refuses_for_good_does_not_hold_up_the_rest(here, away, capsys):
    with away(), tracking.stage_run(params.Params(), "embed") as run:
        run.recorder.say({"kind": "metrics", "run": run.key, "metrics": [["a\nb", 1.0, 1, 0]]})
        run.log_metrics({"good": 1})
    assert outbox.flush().left == {}
    assert "MLflow refuses metrics" in capsys.readouterr().err
    assert client().get_run(find.run_id(client(), run.key)).data.metrics["good"] == 1


def test_a_full_disk_costs_a_line_and_the_server_has_it_all_the_same(here, monkeypatch, capsys):
    def full(self, entry):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Journal, "add", full)
    with tracking.stage_run(params.Params(), "embed") as run:
        run.log_metrics({"a": 1})
    assert "No space left" in capsys.readouterr().err
    assert client().get_run(run.run_id).data.metrics["a"] == 1


def test_a_model_that_does_not_pickle_costs_a_line(here, capsys):
    import numpy as np

    with tracking.stage_run(params.Params(), "finetune", arm="recipe") as run:
        assert run.log_model(threading.Lock(), np.zeros((1, 8, 8, 3), np.uint8)) is None
    assert "warning: the model cannot be kept" in capsys.readouterr().err
    assert client().get_run(run.run_id).info.status == "FINISHED"


def test_a_file_that_is_not_there_costs_a_line(here, capsys):
    with tracking.stage_run(params.Params(), "embed") as run:
        run.log_artifact(here / "gone.png")
        run.log_metrics({"a": 1})
    assert "gone.png" in capsys.readouterr().err
    assert client().get_run(run.run_id).data.metrics["a"] == 1


def test_keys_in_records_become_ids(here, away):
    with away():
        offline = record_a_stage()
        assert tracking.read_records(here / "reports/runs") == [record("finetune@recipe")]
    assert tracking.read_records(here / "reports/runs") == [record("finetune@recipe")]  # not sent yet
    outbox.flush()
    (found,) = tracking.read_records(here / "reports/runs")
    assert client().get_run(found["run_id"]).data.tags[find.RUN_KEY] == offline.key
    assert client().get_run(found["children"]["swap trainable"]).info.run_name == "swap trainable"
    assert found["experiment_id"] == client().get_run(found["run_id"]).info.experiment_id


def test_a_diagnosis_tags_runs_and_their_models(here):
    tuned = record_a_stage()
    with tracking.stage_run(params.Params(), "summarize") as run:
        run.log_diagnosis([tuned.run_id, "0" * 32, None], {"verdict": "plateau", "primary_cause": "head"})
    (output,) = client().get_run(tuned.run_id).outputs.model_outputs
    for tags in (client().get_run(tuned.run_id).data.tags, client().get_logged_model(output.model_id).tags):
        assert (tags["verdict"], tags["primary_cause"]) == ("plateau", "head")
    assert (
        client().get_logged_model(output.model_id).tags["data_digest"]
        if "data_digest" in tuned.tags
        else True
    )
    assert waiting() == []  # a run that this server does not have holds nothing up


def test_a_diagnosis_waits_for_the_run_that_it_is_about(here, away):
    with away():
        tuned = record_a_stage()
    with tracking.stage_run(params.Params(), "summarize") as run:
        run.log_diagnosis([tuned.run_id], {"verdict": "plateau"})
    assert len(waiting()) == 2
    assert len(outbox.flush().sent) == 2
    assert client().get_run(find.run_id(client(), tuned.key)).data.tags["verdict"] == "plateau"


def test_the_command_sends_to_where_the_stage_would_have(here, away, monkeypatch, capsys):
    with away():
        for stage in ("embed", "summarize"):
            with tracking.stage_run(params.Params(), stage):
                pass
    capsys.readouterr()
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert outbox.main() == 1
    said = capsys.readouterr()
    assert said.err.count("\n") == said.err.count(AWAY + ": ") == 2
    with store.environment(MLFLOW_TRACKING_URI=f"sqlite:///{here}/mlflow.db"):
        assert outbox.main() == 0
        assert capsys.readouterr().out.count("sent ") == 2
    assert outbox.main() == 0
    assert capsys.readouterr().out == "nothing waits to be sent\n"
