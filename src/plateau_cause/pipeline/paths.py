"""Every file and folder of a project, named once; relative to the project's root.

Needs the standard library only. A file inside a folder is named where one stage writes and another reads it.
"""

from __future__ import annotations

from pathlib import Path

PARAMS = Path("params.yaml")

DATA = Path("data")
INPUTS = DATA / "inputs"  # what the stages start from
PREPARED = DATA / "prepared"  # the decoded images
QUARANTINE = PREPARED / "quarantine.parquet"
REFERENCE = DATA / "reference"  # the same of `reference_data`
STATISTICS = DATA / "statistics"
IMAGE_FACTS, LEAKAGE = STATISTICS / "images.parquet", STATISTICS / "leakage.parquet"
FEATURES = DATA / "features"
PROFILE = FEATURES / "profile.json"
CAPTURE = DATA / "capture"  # what was seen of a training script
PEEK = CAPTURE / "peek.json"
SHIFT = DATA / "shift"
SHIFT_TESTS = SHIFT / "tests.json"
PROJECTION, PROBES, NOISE = SHIFT / "projection.parquet", SHIFT / "probes.json", SHIFT / "noise.json"
ARMS = DATA / "arms"
INTERVENTIONS = DATA / "interventions"
FINDINGS, CURVES = INTERVENTIONS / "findings.json", INTERVENTIONS / "curves.parquet"
ARM_SETTINGS = INTERVENTIONS / "arms.json"
ARM_PREDICTIONS = INTERVENTIONS / "arm_predictions.parquet"
LANDSCAPE = INTERVENTIONS / "landscape.npz"
SUSPECT_LABELS = INTERVENTIONS / "suspect_labels.csv"

REPORTS = Path("reports")
SUMMARY = REPORTS / "plateau_cause.json"  # beside it the same as .md and .html
RUN_RECORDS = REPORTS / "runs"  # which MLflow run made what
PLOTS = REPORTS / "plots"
DATASET_PLOTS, SHIFT_PLOTS, SUMMARY_PLOTS = PLOTS / "dataset", PLOTS / "shift", PLOTS / "summary"
UMAP_PAGE = REPORTS / "umap.html"
RETRAINED, RETRAINED_PAGE = REPORTS / "retrain.json", REPORTS / "retrain.md"

# No outputs of any stage: whoever kills one loses nothing.
KEPT = Path(".plateau")
DVC_LOCK = Path(".dvc/tmp/rwlock")  # who reads and writes which output, as JSON
DVC_NOTES = Path("dvc.lock")  # what each stage was run with
DVC_NOTES_KEPT = Path(".plateau/dvc.lock")  # a whole copy
TRIED = KEPT / "tried.json"  # what stage check has tried, and found to work
FINGERPRINTS = KEPT / "fingerprints.json"  # digests of the user's files, so that each is read once
FINISHED = KEPT / "runs"  # finished runs and checkpoints, by content
REPLAYS = KEPT / "replays"  # the same of a script's
PIXELS = KEPT / "pixels"  # resized images of large data sets, by content
ANNOUNCED = KEPT / "announced"  # for which content the time was estimated last
RETRAIN_RECORDS = KEPT / "retrain"  # run records of retrainings


def inputs(stage: str) -> Path:
    """Returns the file that says what a stage starts from besides the outputs of others; or an arm."""
    return INPUTS / f"{stage}.json"


def arm(name: str) -> Path:
    """Returns the folder of an arm's results."""
    return ARMS / name


def arm_record(name: str) -> Path:
    """Returns the file that lists an arm's results and what they took."""
    return arm(name) / "arm.json"


def predictions(name: str) -> Path:
    """Returns the table of what an arm sees in the test images."""
    return arm(name) / "predictions.parquet"


def curves(name: str) -> Path:
    """Returns the table of an arm's accuracies and losses per epoch."""
    return PLOTS / f"curves_{name}.csv"


def metrics(stage: str) -> Path:
    """Returns the file of a stage's figures; a stage that trains an arm is named `finetune_<arm>`."""
    return REPORTS / f"{stage}.json"


def run_record(stage: str) -> Path:
    """Returns the file that names a stage's MLflow run; a stage that trains is named `finetune@<arm>`."""
    return RUN_RECORDS / f"{stage}.json"
