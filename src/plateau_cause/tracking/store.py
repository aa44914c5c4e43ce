"""The store that runs go to: its address, its first opening, its experiments."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from plateau_cause.tracking import presentation
from plateau_cause.tracking.provenance import one_line, without_password

if TYPE_CHECKING:
    from mlflow import MlflowClient

SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # the default of 7 waits minutes for a dead server
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",  # a large model on its way through the server to a slow bucket
    "PGCONNECT_TIMEOUT": "5",  # libpq's own default is to wait for minutes
}
# Whether a server is there is known sooner. What the user has set differently stays.
FIRST_CONTACT = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "5"}
LOCK_TIMEOUT_S = 60


def settle_environment() -> None:
    """Sets what MLflow reads from the environment; call before it is imported. What is set already stays."""
    for key, value in SETTINGS.items():
        os.environ.setdefault(key, value)


def is_off() -> bool:
    """Returns whether nothing is to be recorded: PLATEAU_TRACKING=off."""
    return os.environ.get("PLATEAU_TRACKING", "").lower() == "off"


def tracking_uri(root: Path | None = None) -> str:
    """Returns MLFLOW_TRACKING_URI, or the SQLite file at the repository root.

    DVC_ROOT names the root even where `dvc exp run --temp` works in a folder that is deleted afterwards.

    Args:
        root: of the repository; None: DVC_ROOT, or the current folder.
    """
    root = (root or Path(os.environ.get("DVC_ROOT") or ".")).resolve()
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{root / 'mlflow.db'}"


def address() -> str:
    """Returns the same without user name and password, to be shown and kept."""
    return without_password(tracking_uri())


def sqlite_path() -> Path | None:
    """Returns the SQLite file that runs go to, None for a server."""
    uri = tracking_uri()
    return Path(uri.removeprefix("sqlite:///")).resolve() if uri.startswith("sqlite:///") else None


def open_client() -> MlflowClient:
    """Returns a client whose store has been opened, and created where it was not there."""
    import mlflow

    uri = tracking_uri()
    for library in ("mlflow", "alembic"):
        logging.getLogger(library).setLevel(logging.WARNING)
    with environment(MLFLOW_TRACKING_URI=uri):  # where MLflow would leave it set
        mlflow.set_tracking_uri(uri)
    impatient = {key: value for key, value in FIRST_CONTACT.items() if os.environ.get(key) == SETTINGS[key]}
    with _alone(), environment(**impatient):
        _knock(uri)
        _create_whole(sqlite_path())
        client = mlflow.MlflowClient(uri)
        client.get_experiment("0")  # the first call is the one that opens the store
    return client


def _create_whole(database: Path | None) -> None:
    """Makes an SQLite file that is not there yet beside its place, and puts it there when it is complete.

    A process that is killed in between would leave half of MLflow's tables, which no later one can open.
    """
    if database is None or database.exists():
        return
    import mlflow

    unfinished = database.with_name(f".{database.name}.new")
    unfinished.unlink(missing_ok=True)
    mlflow.MlflowClient(f"sqlite:///{unfinished}").get_experiment("0")
    os.replace(unfinished, database)


def _knock(uri: str) -> None:
    """Raises where a database does not answer: MLflow itself would go on trying for 100 s."""
    from mlflow.store.db.db_types import DATABASE_ENGINES

    kind = uri.partition(":")[0].partition("+")[0]
    if kind in DATABASE_ENGINES and kind != "sqlite":
        import sqlalchemy

        engine = sqlalchemy.create_engine(uri)
        engine.connect().close()
        engine.dispose()


def experiment_id(client: MlflowClient, name: str) -> str:
    """Returns the experiment's id; one made here keeps its artifacts beside its SQLite file."""
    with _alone():
        found = client.get_experiment_by_name(name)
        if found is None:
            database = sqlite_path()
            location = (database.parent / "mlartifacts").as_uri() if database else None
            found = client.get_experiment(client.create_experiment(name, artifact_location=location))
        presentation.introduce(client, found)
        return str(found.experiment_id)


def _alone() -> AbstractContextManager[object]:
    """Returns a lock: processes that create the same SQLite file at once leave it unusable."""
    from filelock import FileLock

    database = sqlite_path()
    if database is None:
        return nullcontext()
    return FileLock(database.with_name(f".{database.name}.lock"), timeout=LOCK_TIMEOUT_S)


@cache
def pipeline_run_id() -> str | None:
    """Returns the run that `mlflow run` opened, or None.

    MLFLOW_RUN_ID is taken out of the environment: MLflow would resume that run in each stage.
    """
    return os.environ.pop("MLFLOW_RUN_ID", None)


@contextmanager
def environment(**values: str) -> Iterator[None]:
    """Sets environment variables for a while."""
    before = {key: os.environ.get(key) for key in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for key, value in before.items():
            os.environ.pop(key, None)
            os.environ.update({} if value is None else {key: value})


def failures() -> tuple[type[Exception], ...]:
    """Returns what a store raises that cannot be opened or written (requests' errors are OSErrors)."""
    kinds: list[type[Exception]] = [OSError, ImportError]  # ImportError: a database without its driver
    with suppress(ImportError):
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        kinds += [MlflowException, SQLAlchemyError]
    return tuple(kinds)


@contextmanager
def failing_as(kind: type[Exception], before: str, after: str = "") -> Iterator[None]:
    """Raises what the store raises as an error of this kind: `before`, a colon, the reason, `after`."""
    try:
        yield
    except failures() as error:
        raise kind(f"{before}: {one_line(error)}{after}") from None
