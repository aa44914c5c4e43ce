"""What people see who open MLflow: what the experiment is, what each run is, accuracies beside them.

What somebody has written in MLflow themselves is left as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment

NOTE = "mlflow.note.content"  # MLflow shows it as the description
VIEW = "plateau"  # name of the view that the link in the description opens
SHARED = f"mlflow.sharedViewState.{VIEW}"  # tag that holds it
ACCURACIES = ("test_accuracy", "val_accuracy", "train_accuracy")
COLUMNS = [
    *(f"metrics.`{name}`" for name in ACCURACIES),
    *(f"params.`recipe.{name}`" for name in ("trainable", "optimizer.learning_rate", "schedule.epochs")),
    "tags.`primary_cause`",
]
EXPERIMENT = """\
Why does this training plateau, and what would change it? Every run is one step of the pipeline.

| runs | what they are |
|---|---|
| `finetune@recipe` | your recipe, as it stands in `params.yaml` |
| `finetune@reference` | what the weights themselves declare, trained with care |
| children of `intervene` | one factor swapped between the two: what it is worth |
| `summarize` | the verdict: its report is among the artifacts |
| others | the data, their features, and what can be read off them without training |

`test_accuracy` is on the same test images in every run. [Show the runs with their accuracies]({link})
"""
STAGES = {
    "prepare_data": "The images, decoded once, and their splits.",
    "dataset_stats": "The data: classes, sizes, colours, duplicates, leaks between the splits.",
    "embed": "What the frozen backbone sees in the images.",
    "feature_shift": "What can be read off the features without training: probes, shift, doubtful labels.",
    "capture": "What the training script really does.",
    "finetune@recipe": "Your recipe, trained as it stands in params.yaml.",
    "finetune@reference": "The reference: what the weights themselves declare, trained with care.",
    "finetune@script": "Your script, run unchanged and watched.",
    "intervene": "The interventions. Each child is one training in which factors were swapped.",
    "summarize": "The verdict. The report is among the artifacts.",
    "retrain": "Today's model against the deployed one. The decision is among the artifacts.",
}


def stage_note(stage: str, arm: str | None) -> str:
    """Returns the description of a stage's run."""
    name = stage if arm is None else f"{stage}@{arm}"
    return STAGES.get(name, f"Stage {name} of the pipeline.")


def child_note(name: str, tags: Mapping[str, Any]) -> str:
    """Returns the description of one training among several of a stage.

    Args:
        name: of the run.
        tags: of the run; stage, arm and seed are read.
    """
    if tags.get("arm") == "candidate":
        return f"{name}: tried as the reference. The best of the candidates becomes it."
    if tags.get("stage") == "intervene":
        return f"One training of the diagnosis: {name}. Compare its test_accuracy with recipe and reference."
    return f"The same training under another seed: {name}. It shows what is luck."


def page(experiment_id: str) -> str:
    """Returns where a server shows an experiment's runs: as model training, accuracies beside them."""
    return f"#/experiments/{experiment_id}/runs?workflowType=machine_learning&viewStateShareKey={VIEW}"


def introduce(client: MlflowClient, experiment: Experiment) -> None:
    """Says in MLflow what the experiment is, that it trains models, and which columns matter."""
    wanted = {
        NOTE: EXPERIMENT.format(link=page(experiment.experiment_id)),
        SHARED: json.dumps({"selectedColumns": COLUMNS}),
        "mlflow.experimentKind": "custom_model_development",
        "mlflow.experiment.primaryMetric.name": ACCURACIES[0],
        "mlflow.experiment.primaryMetric.greaterIsBetter": "True",
    }
    for key, value in wanted.items():
        if key not in experiment.tags:
            client.set_experiment_tag(experiment.experiment_id, key, value)
