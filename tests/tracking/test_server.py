"""A stage and a real server: PostgreSQL, S3 and `mlflow server`, one of which dies at the worst moment."""

import time

import pytest

from plateau_cause.tracking import find, outbox
from plateau_cause.tracking.journal import waiting

from .conftest import AWAY, holdings, record, record_a_stage

MEASURED = ("stage_s", "peak_memory_mb")
pytestmark = [pytest.mark.slow, pytest.mark.server]


@pytest.fixture
def served(here, stack, monkeypatch):
    """The servers, empty, as the place that runs go to."""
    (here / "mlflow.db").unlink()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", stack.url)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "120")  # the machine of the tests may be busy
    yield stack
    put_away(stack.client())


def put_away(client):
    """Deletes the experiment under another name: MLflow keeps the names of deleted ones."""
    experiment = client.get_experiment_by_name("plateau")
    client.rename_experiment(experiment.experiment_id, f"plateau {time.monotonic_ns()}")
    client.delete_experiment(experiment.experiment_id)


def test_everything_is_in_postgres_and_in_the_bucket(served):
    import mlflow

    run = record_a_stage()
    assert waiting() == []
    stored = served.client().get_run(run.run_id)
    assert (stored.info.status, stored.data.metrics["test_accuracy"]) == ("FINISHED", 0.5)
    experiment = stored.info.experiment_id
    assert f"mlflow/{experiment}/{run.run_id}/artifacts/report/page.html" in served.bucket.names()
    (output,) = stored.outputs.model_outputs
    assert f"mlflow/{experiment}/models/{output.model_id}/artifacts/MLmodel" in served.bucket.names()
    loaded = mlflow.pyfunc.load_model(f"models:/{output.model_id}")
    assert list(loaded.predict(loaded.input_example)["label"]) == ["seven"]
    model = served.client().get_logged_model(output.model_id)
    assert model.params["recipe.trainable"] == "head"
    assert {metric.key: metric.value for metric in model.metrics}["test_accuracy"] == 0.5


def test_a_server_that_is_not_there_gets_it_later(served, monkeypatch, capsys):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", AWAY)
    begun = time.monotonic()
    run = record_a_stage()
    assert time.monotonic() - begun < 60
    assert capsys.readouterr().err.count("failed, the stage goes on") == 1
    monkeypatch.setenv("MLFLOW_TRACKING_URI", served.url)
    assert len(outbox.flush().sent) == 1
    (child, stage) = sorted(holdings(served.client()), key=lambda held: held["name"] == "finetune@recipe")
    assert (stage["name"], stage["status"], child["name"]) == (
        "finetune@recipe",
        "FINISHED",
        "swap trainable",
    )
    assert find.run_id(served.client(), run.key) != run.key


@pytest.mark.parametrize(
    ("name", "moment"),
    [("postgres", "start"), ("postgres", "middle"), ("postgres", "end"), ("bucket", "middle")],
)
def test_a_server_dies_and_comes_back_after_the_stage(served, capsys, name, moment):
    record_a_stage()
    expected = _shape(served)
    put_away(served.client())
    server = getattr(served, name)
    record_a_stage(at={moment: server.kill})
    assert capsys.readouterr().err.count("failed, the stage goes on") == 1
    assert find.is_key(record("finetune@recipe")["run_id"]) == (moment == "start")
    server.start()
    if name == "bucket":
        served.bucket.create()
    for _ in range(2):
        assert outbox.flush().left == {}
    assert _shape(served) == expected


def _shape(stack):
    """Returns what the server holds, without times and what differs from run to run."""
    held = holdings(stack.client())
    for run in held:
        del run["times"], run["tags"][find.RUN_KEY]
        run["metrics"] = {
            key: [(step, value) for step, _, value in points] if key not in MEASURED else len(points)
            for key, points in run["metrics"].items()
        }
    return held
