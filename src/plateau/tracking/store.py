"""The store that runs go to: its address, its first opening, its experiments."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient

SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # the default of 7 waits minutes for a dead server
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
LOCK_TIMEOUT_S = 60


def settle_environment() -> None:
    """Sets what MLflow reads from the environment; call before it is imported. What is set already stays."""
    for key, value in SETTINGS.items():
        os.environ.setdefault(key, value)


def tracking_uri(root: Path | None = None) -> str:
    """Returns MLFLOW_TRACKING_URI, or the SQLite file at the repository root.

    DVC_ROOT names the root even where `dvc exp run --temp` works in a folder that is deleted afterwards.

    Args:
        root: of the repository; None: DVC_ROOT, or the current folder.
    """
    root = (root or Path(os.environ.get("DVC_ROOT") or ".")).resolve()
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{root / 'mlflow.db'}"


def open_client() -> MlflowClient:
    """Returns a client whose store has been opened, and created where it was not there."""
    import logging

    import mlflow

    for library in ("mlflow", "alembic"):
        logging.getLogger(library).setLevel(logging.WARNING)
    mlflow.set_tracking_uri(tracking_uri())
    with _alone():
        client = mlflow.MlflowClient(tracking_uri())
        client.get_experiment("0")  # the first call is the one that opens the store
    return client


def experiment_id(client: MlflowClient, name: str) -> str:
    """Returns the experiment's id; one made here keeps its artifacts beside its SQLite file."""
    with _alone():
        found = client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        database = sqlite_path()
        location = (database.parent / "mlartifacts").as_uri() if database else None
        return str(client.create_experiment(name, artifact_location=location))


def pipeline_run(client: MlflowClient) -> tuple[str | None, str | None]:
    """Returns run and experiment id of the parent that `mlflow run` opened, or two Nones."""
    run_id = _pipeline_run_id()
    return (run_id, client.get_run(run_id).info.experiment_id) if run_id else (None, None)


@cache
def _pipeline_run_id() -> str | None:
    """Returns MLFLOW_RUN_ID, taken out of the environment: MLflow would resume that run in each stage."""
    return os.environ.pop("MLFLOW_RUN_ID", None)


def _alone() -> AbstractContextManager[object]:
    """Returns a lock: processes that create the same SQLite file at once leave it unusable."""
    from filelock import FileLock

    database = sqlite_path()
    if database is None:
        return nullcontext()
    return FileLock(database.with_name(f".{database.name}.lock"), timeout=LOCK_TIMEOUT_S)


def sqlite_path() -> Path | None:
    """Returns the SQLite file that runs go to, None for a server."""
    uri = tracking_uri()
    return Path(uri.removeprefix("sqlite:///")).resolve() if uri.startswith("sqlite:///") else None
