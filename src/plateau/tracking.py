"""MLflow in one place: one run per stage (and arm and seed), one child per intervention.

No other file imports mlflow, and this one only inside functions. Runs go to MLFLOW_TRACKING_URI where
it is set, otherwise to mlflow.db and mlartifacts/ at the repository root. PLATEAU_TRACKING=off records
nothing. A server that fails costs one warning, never a stage: results are on disk before they are here.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plateau import artifacts, provenance
from plateau.params import Params, dump

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from mlflow import MlflowClient

RUNS = Path("reports/runs")
MAX_VALUE = 6000  # characters of a parameter or tag that MLflow stores
MAX_NAME = 250
BATCH = {"metrics": 1000, "params": 100, "tags": 100}  # most entries in one call
MODEL_PACKAGES = ("torch", "torchvision", "timm", "numpy", "pandas", "pillow", "scikit-learn", "pyarrow", "PyYAML")
SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # the default of 7 waits minutes for a dead server
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}


class NullRun:
    """A run that records nothing; the methods of a real one."""

    run_id: str | None = None
    children: dict[str, str | None]

    def __init__(self) -> None:
        self.children = {}

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Records parameters, nested names joined by dots; a name recorded before keeps its value."""

    def log_metrics(self, metrics: Mapping[str, float | None], step: int | None = None) -> None:
        """Records numbers in one call; None is left out."""

    def log_history(self, history: Sequence[Mapping[str, Any]], step_key: str = "epoch") -> None:
        """Records a whole curve in one call: the numbers of each row at the step that `step_key` names."""

    def log_tags(self, tags: Mapping[str, Any]) -> None:
        """Records tags."""

    def log_figure(self, figure: Any, path: str) -> None:
        """Records a matplotlib (.png) or plotly (.html) figure under this artifact path."""

    def log_artifact(self, path: Path, folder: str | None = None) -> None:
        """Records a file, or everything in a folder."""

    def log_dict(self, content: Mapping[str, Any], path: str) -> None:
        """Records a JSON or YAML file."""

    def log_text(self, text: str, path: str) -> None:
        """Records a text, Markdown or HTML file."""

    def log_dataset(self, manifest: pd.DataFrame, name: str, digest: str, context: str = "training") -> None:
        """Records the manifest's schema and size as the run's input data set, and tags the run with its digest."""

    def log_model(self, model: Any, input_example: np.ndarray, name: str = "model") -> str | None:
        """Records a model that loads again by URI.

        Args:
            model: an object on the CPU with `predict(images) -> pandas.DataFrame`, where images is a
                uint8 array (N, H, W, 3); it must pickle.
            input_example: uint8 (n, H, W, 3).
            name: the model's name.

        Returns:
            The URI for `mlflow.pyfunc.load_model(uri).predict(images)`; None where nothing was recorded.
        """
        return None

    @contextmanager
    def child(self, name: str, tags: Mapping[str, Any] | None = None) -> Iterator[NullRun]:
        """Yields a run of its own, nested (beside this one where `mlflow run` opened a common parent)."""
        self.children[name] = None
        yield NullRun()


class Run(NullRun):
    """A run in MLflow; see NullRun for what the methods do."""

    def __init__(self, client: MlflowClient, run_id: str, experiment_id: str, parent_id: str | None) -> None:
        super().__init__()
        self.client, self.run_id, self.experiment_id, self.parent_id = client, run_id, experiment_id, parent_id
        self._params: set[str] = set()
        self._is_lost = False

    def _send(self, call: Callable[[], Any]) -> Any:
        """Returns what the call returns; the first failure warns, and the rest of the run is skipped."""
        if self._is_lost:
            return None
        try:
            return call()
        except _failures() as error:
            self._is_lost = True
            _warn(error)
            return None

    def _log(self, kind: str, entries: list[Any]) -> None:
        size = BATCH[kind]
        for start in range(0, len(entries), size):
            batch = {kind: entries[start : start + size]}
            self._send(lambda batch=batch: self.client.log_batch(self.run_id, **batch))

    def log_params(self, params: Mapping[str, Any]) -> None:
        from mlflow.entities import Param

        flat = {_name(key): _text(value) for key, value in flatten(params).items()}
        new = {key: value for key, value in flat.items() if key not in self._params}
        self._params |= set(new)
        self._log("params", [Param(key, value) for key, value in new.items()])

    def log_metrics(self, metrics: Mapping[str, float | None], step: int | None = None) -> None:
        self._log("metrics", _metrics(metrics, step or 0))

    def log_history(self, history: Sequence[Mapping[str, Any]], step_key: str = "epoch") -> None:
        rows = [({k: v for k, v in row.items() if k != step_key}, int(row[step_key])) for row in history]
        self._log("metrics", [metric for row, step in rows for metric in _metrics(row, step)])

    def log_tags(self, tags: Mapping[str, Any]) -> None:
        from mlflow.entities import RunTag

        self._log("tags", [RunTag(_name(key), _text(value)) for key, value in tags.items() if value is not None])

    def log_figure(self, figure: Any, path: str) -> None:
        self._send(lambda: self.client.log_figure(self.run_id, figure, path))

    def log_artifact(self, path: Path, folder: str | None = None) -> None:
        send = self.client.log_artifacts if Path(path).is_dir() else self.client.log_artifact
        self._send(lambda: send(self.run_id, str(path), folder))

    def log_dict(self, content: Mapping[str, Any], path: str) -> None:
        self.log_text(json.dumps(artifacts.plain(content), indent=2, ensure_ascii=False), path)

    def log_text(self, text: str, path: str) -> None:
        self._send(lambda: self.client.log_text(self.run_id, text, path))

    def log_dataset(self, manifest: pd.DataFrame, name: str, digest: str, context: str = "training") -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag

        columns = [{"name": str(key), "type": _column_type(kind)} for key, kind in manifest.dtypes.items()]
        dataset = Dataset(
            name=name,
            digest=digest[:36],  # all that MLflow stores
            source_type="local",
            source=json.dumps({"uri": "data/prepared/manifest.parquet"}),
            schema=json.dumps({"mlflow_colspec": columns}),
            profile=json.dumps({"num_rows": len(manifest)}),
        )
        inputs = [DatasetInput(dataset, [InputTag("mlflow.data.context", context)])]
        self._send(lambda: self.client.log_inputs(self.run_id, inputs))
        self.log_tags({"data_digest": digest})

    def log_model(self, model: Any, input_example: np.ndarray, name: str = "model") -> str | None:
        uri: str | None = self._send(lambda: _log_model(self.run_id, model, input_example, name))
        return uri

    @contextmanager
    def child(self, name: str, tags: Mapping[str, Any] | None = None) -> Iterator[NullRun]:
        parent = self.parent_id or self.run_id
        started = self._send(lambda: _start(self.client, self.experiment_id, parent, name, dict(tags or {})))
        run = started or NullRun()
        self.children[name] = run.run_id
        with _closing(run):
            yield run


@contextmanager
def stage_run(
    params: Params,
    stage: str,
    arm: str | None = None,
    seed: int | None = None,
    tags: Mapping[str, Any] | None = None,
    runs: Path = RUNS,
) -> Iterator[NullRun]:
    """Yields the run of one stage; leaves `<runs>/<stage>[@arm].json`, by which others find it again.

    The record is an output that DVC caches and that no stage depends on: a stage restored from the
    cache brings back the run that made it. Further seeds of an arm are children of the run.

    Args:
        params: all parameters; recorded, except an arm's recipe, which the stage records as it is run.
        stage: name of the DVC stage.
        arm: recipe or reference, for a stage that trains.
        seed: of the arm.
        tags: further tags.
        runs: folder of the records.
    """
    name = stage if arm is None else f"{stage}@{arm}"
    seed_tags = {"stage": stage, "arm": arm, "seed": seed, "kind": "stage" if arm is None else "train"}
    facts = {"backbone": params.backbone.name, "weights": params.backbone.weights, **provenance.facts()}
    run = _open(params.tracking.experiment, name, {**facts, **seed_tags, **(tags or {})})
    recorded = dump(params)
    if arm is not None:
        recorded.pop("recipe")
    run.log_params(recorded)
    started_s = time.perf_counter()
    with _closing(run):
        yield run
        run.log_metrics({"stage_s": time.perf_counter() - started_s, "peak_memory_mb": _peak_memory_mb()})
    artifacts.write_json(runs / f"{name}.json", _record(run, name))


def _record(run: NullRun, name: str) -> dict[str, Any]:
    experiment = getattr(run, "experiment_id", None)
    uri = provenance.without_password(tracking_uri()) if run.run_id else None
    where = {"run_id": run.run_id, "tracking_uri": uri, "experiment_id": experiment}
    return {**where, "name": name, "children": run.children}


def tracking_uri() -> str:
    """Returns MLFLOW_TRACKING_URI, or the SQLite file at the repository root (DVC_ROOT, else the current folder)."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{_root() / 'mlflow.db'}"


def _root() -> Path:
    return Path(os.environ.get("DVC_ROOT") or ".").resolve()


def _open(experiment: str, name: str, tags: dict[str, Any]) -> NullRun:
    """Returns a started run, or a NullRun where tracking is off or fails."""
    if os.environ.get("PLATEAU_TRACKING", "").lower() == "off":
        return NullRun()
    for key, value in SETTINGS.items():
        os.environ.setdefault(key, value)
    try:
        client = _client()
        parent_id, experiment_id = _parent(client)
        return _start(client, experiment_id or _experiment_id(client, experiment), parent_id, name, tags)
    except _failures() as error:
        _warn(error)
        return NullRun()


def _client() -> MlflowClient:
    import logging

    import mlflow

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    uri = tracking_uri()
    mlflow.set_tracking_uri(uri)
    with _first_open(uri):
        client = mlflow.MlflowClient(uri)
        client.get_experiment("0")  # opens the store: a new database is created here
    return client


def _first_open(uri: str) -> Any:
    """Returns a lock: processes that create the same SQLite file at once leave it unusable."""
    from filelock import FileLock

    path = _sqlite_path(uri)
    return FileLock(path.with_name(f".{path.name}.lock")) if path else nullcontext()


def _sqlite_path(uri: str) -> Path | None:
    return Path(uri.removeprefix("sqlite:///")).resolve() if uri.startswith("sqlite:///") else None


@cache
def _pipeline_run_id() -> str | None:
    """Returns the run that `mlflow run` opened; taken out of the environment, or each stage would resume it."""
    return os.environ.pop("MLFLOW_RUN_ID", None)


def _parent(client: MlflowClient) -> tuple[str | None, str | None]:
    """Returns the common parent's run and experiment id, or two Nones."""
    parent_id = _pipeline_run_id()
    if parent_id is None:
        return None, None
    return parent_id, client.get_run(parent_id).info.experiment_id


def _experiment_id(client: MlflowClient, name: str) -> str:
    """Returns the experiment's id; a new one beside a SQLite file keeps its artifacts beside it too."""
    path = _sqlite_path(tracking_uri())
    with _first_open(tracking_uri()):
        found = client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        location = (path.parent / "mlartifacts").as_uri() if path else None
        return str(client.create_experiment(name, artifact_location=location))


def _start(
    client: MlflowClient, experiment_id: str, parent_id: str | None, name: str, tags: dict[str, Any]
) -> Run:
    own = {
        "mlflow.parentRunId": parent_id,
        "mlflow.source.name": sys.argv[0],
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": tags.get("git.commit"),
        "mlflow.user": provenance.user(),
    }
    named = {_name(key): _text(value) for key, value in {**own, **tags}.items() if value is not None}
    info = client.create_run(experiment_id, run_name=name, tags=named).info
    return Run(client, info.run_id, experiment_id, parent_id)


@contextmanager
def _closing(run: NullRun) -> Iterator[None]:
    """Ends the run with what became of it."""
    status = "FAILED"
    try:
        yield
        status = "FINISHED"
    except KeyboardInterrupt:
        status = "KILLED"
        raise
    finally:
        if isinstance(run, Run):
            run._send(lambda: run.client.set_terminated(str(run.run_id), status))


def _failures() -> tuple[type[Exception], ...]:
    """Returns what a store that cannot be reached or written raises (requests' errors are OSErrors)."""
    from mlflow.exceptions import MlflowException

    return (MlflowException, OSError)


def _warn(error: Exception) -> None:
    where = provenance.without_password(tracking_uri())
    reason = " ".join(str(error).split())[:300]
    print(f"warning: MLflow at {where} failed, the stage goes on without it: {reason}", file=sys.stderr)


def flatten(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Returns one level, nested names joined by dots."""
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        flat |= flatten(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat


def _metrics(values: Mapping[str, Any], step: int) -> list[Any]:
    from mlflow.entities import Metric

    now_ms = int(time.time() * 1000)
    numbers = {key: value for key, value in flatten(values).items() if value is not None}
    return [Metric(_name(key), float(value), now_ms, step) for key, value in numbers.items()]


def _name(text: str) -> str:
    """Returns a name that MLflow takes: letters, digits and `_-. :/` only."""
    return re.sub(r"[^\w\-. :/]", "_", text, flags=re.ASCII)[:MAX_NAME]


def _text(value: Any) -> str:
    text = {None: "null", True: "true", False: "false"}.get(value, None) if value in (None, True, False) else None
    return (text or str(value))[:MAX_VALUE]


def _column_type(kind: Any) -> str:
    return {"i": "long", "f": "double", "b": "boolean"}.get(getattr(kind, "kind", "O"), "string")


def _peak_memory_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)  # bytes on macOS, KiB elsewhere
