"""MLflow opens on something that says what it is; what people wrote there themselves stays."""

import json
import re

import pytest
import yaml

from plateau_cause import tracking
from plateau_cause.config import params
from plateau_cause.tracking import presentation

from .conftest import record_a_stage


def client():
    import mlflow

    return mlflow.MlflowClient(tracking.tracking_uri())


def whole(stage="embed", arm=None):
    with tracking.stage_run(params.Params(), stage, arm=arm) as run:
        pass
    return run


def experiment():
    return client().get_experiment_by_name("plateau")


def test_the_experiment_trains_models_and_shows_accuracies(here):
    run = record_a_stage()
    tags = experiment().tags
    assert tags["mlflow.experimentKind"] == "custom_model_development"
    assert tags["mlflow.experiment.primaryMetric.name"] == "test_accuracy"
    note = tags["mlflow.note.content"]
    (link,) = re.findall(r"\((#/experiments/.*)\)", note)
    assert link.startswith(f"#/experiments/{experiment().experiment_id}/runs?workflowType=machine_learning")
    view = json.loads(tags["mlflow.sharedViewState." + link.partition("viewStateShareKey=")[2]])
    assert view["selectedColumns"][0] == "metrics.`test_accuracy`"
    assert "test_accuracy" in client().get_run(run.run_id).data.metrics


def test_every_column_is_recorded_under_that_name():
    from plateau_cause.tracking.provenance import flatten

    recorded = {f"params.`{name}`" for name in flatten(params.dump(params.Params()))}
    assert {column for column in presentation.COLUMNS if column.startswith("params")} <= recorded


def test_what_somebody_wrote_stays_and_what_is_missing_is_added(here):
    made = client().create_experiment("plateau")
    client().set_experiment_tag(made, "mlflow.note.content", "ours")
    whole()
    assert experiment().tags["mlflow.note.content"] == "ours"
    assert experiment().tags["mlflow.experimentKind"] == "custom_model_development"
    client().set_experiment_tag(made, "mlflow.experimentKind", "genai_development")
    whole()
    assert experiment().tags["mlflow.experimentKind"] == "genai_development"


def test_every_stage_that_records_a_run_is_described(root):
    stages = yaml.safe_load((root / "dvc.yaml").read_text())["stages"]
    names = {
        f"{name}@{arm}" if arm else name
        for name, stage in stages.items()
        for arm in (stage.get("matrix", {}).get("arm") or stage.get("foreach") or [None])
        if any("reports/runs" in str(out) for out in (stage.get("do") or stage).get("outs", []))
    }
    assert {"summarize", "intervene", "finetune@recipe", "finetune@reference"} <= names
    assert names <= set(presentation.STAGES)


@pytest.mark.parametrize(
    ("stage", "arm", "child", "tags", "said"),
    [
        ("finetune", "recipe", "recipe seed 1", {"arm": "recipe", "seed": 1}, "another seed"),
        ("finetune", "reference", "candidate (all)", {"arm": "candidate"}, "tried as the reference"),
        ("intervene", None, "reference - head", {"arm": "reference - head"}, "training of the diagnosis"),
    ],
)
def test_every_run_says_what_it_is(here, stage, arm, child, tags, said):
    with tracking.stage_run(params.Params(), stage, arm=arm) as run, run.child(child, tags) as inner:
        pass
    notes = [client().get_run(one.run_id).data.tags["mlflow.note.content"] for one in (run, inner)]
    assert notes[0] == presentation.STAGES[stage if arm is None else f"{stage}@{arm}"]
    assert said in notes[1]
    assert child in notes[1]


def test_a_stage_of_ones_own_is_described_by_its_name(here):
    run = whole("my_stage")
    assert client().get_run(run.run_id).data.tags["mlflow.note.content"] == "Stage my_stage of the pipeline."
