"""A run in MLflow: batched, careful with names and sizes, and never the reason why a stage fails."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from plateau import artifacts
from plateau.tracking import model_store, provenance, store
from plateau.tracking.null_run import NullRun
from plateau.tracking.provenance import clean_name, clean_text, column_type, flatten

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from mlflow import MlflowClient

BATCH = {"metrics": 1000, "params": 100, "tags": 100}  # most entries that MLflow takes in one call


class Where(NamedTuple):
    """Where runs are opened: the experiment, and the run that is their parent."""

    experiment_id: str
    parent_id: str | None


class Run(NullRun):
    """A run in MLflow; see NullRun for what the methods do."""

    def __init__(self, client: MlflowClient, where: Where, run_id: str, tags: dict[str, Any]) -> None:
        super().__init__()
        self.client, self.where, self.id, self.tags = client, where, run_id, tags
        self.run_id = run_id  # NullRun's name for it, where it may be None
        self._params: set[str] = set()
        self._is_lost = False

    def send(self, call: Callable[[], Any]) -> Any:
        """Returns what the call returns; the first failure warns, and the rest of the run is skipped."""
        if self._is_lost:
            return None
        try:
            return call()
        except failures() as error:
            self._is_lost = True
            warn(error)
            return None

    def _log(self, kind: str, entries: list[Any]) -> None:
        size = BATCH[kind]
        for first in range(0, len(entries), size):
            batch: dict[str, Any] = {kind: entries[first : first + size]}
            self.send(partial(self.client.log_batch, self.id, **batch))

    def log_params(self, params: Mapping[str, Any]) -> None:
        from mlflow.entities import Param

        flat = {clean_name(key): clean_text(value) for key, value in flatten(params).items()}
        new = {key: value for key, value in flat.items() if key not in self._params}
        self._params |= set(new)
        self._log("params", [Param(key, value) for key, value in new.items()])

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        self._log("metrics", _metrics(metrics, step or 0))

    def log_history(self, history: Sequence[Mapping[str, Any]], step_key: str = "epoch") -> None:
        rows = [({k: v for k, v in row.items() if k != step_key}, int(row[step_key])) for row in history]
        self._log("metrics", [metric for row, step in rows for metric in _metrics(row, step)])

    def log_tags(self, tags: Mapping[str, Any]) -> None:
        from mlflow.entities import RunTag

        known = {key: value for key, value in tags.items() if value is not None}
        self._log("tags", [RunTag(clean_name(key), clean_text(value)) for key, value in known.items()])

    def log_figure(self, figure: Any, path: str) -> None:
        self.send(lambda: self.client.log_figure(self.id, figure, path))

    def log_artifact(self, path: Path, folder: str | None = None) -> None:
        send = self.client.log_artifacts if Path(path).is_dir() else self.client.log_artifact
        self.send(lambda: send(self.id, str(path), folder))

    def log_dict(self, content: Mapping[str, Any], path: str) -> None:
        self.log_text(json.dumps(artifacts.plain(content), indent=2, ensure_ascii=False), path)

    def log_text(self, text: str, path: str) -> None:
        self.send(lambda: self.client.log_text(self.id, text, path))

    def log_dataset(self, manifest: pd.DataFrame, name: str, digest: str, context: str = "training") -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag

        columns = [{"name": str(key), "type": column_type(kind)} for key, kind in manifest.dtypes.items()]
        dataset = Dataset(
            name=name,
            digest=digest[:36],  # all that MLflow stores
            source_type="local",
            source=json.dumps({"uri": "data/prepared/manifest.parquet"}),
            schema=json.dumps({"mlflow_colspec": columns}),
            profile=json.dumps({"num_rows": len(manifest)}),
        )
        inputs = [DatasetInput(dataset, [InputTag("mlflow.data.context", context)])]
        self.send(lambda: self.client.log_inputs(self.id, inputs))
        self.log_tags({"data_digest": digest})

    def log_model(self, model: Any, input_example: np.ndarray, name: str = "model") -> str | None:
        log, client = model_store.log_model, self.client
        uri: str | None = self.send(
            lambda: log(client, client.get_run(self.id).info, model, input_example, name)
        )
        return uri

    @contextmanager
    def child(self, name: str, tags: Mapping[str, Any] | None = None) -> Iterator[NullRun]:
        where = Where(self.where.experiment_id, self.where.parent_id or self.id)
        own = {**self.tags, "kind": "train", **(tags or {})}
        run = self.send(lambda: start(self.client, where, name, own)) or NullRun()
        self.children[name] = run.run_id
        with closing(run):
            yield run


def start(client: MlflowClient, where: Where, name: str, tags: dict[str, Any]) -> Run:
    """Returns a run that has been opened."""
    own = {
        "mlflow.parentRunId": where.parent_id,
        "mlflow.source.name": sys.argv[0],
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": tags.get("git.commit"),
        "mlflow.user": provenance.user(),
    }
    known = {key: value for key, value in {**own, **tags}.items() if value is not None}
    texts = {clean_name(key): clean_text(value) for key, value in known.items()}
    info = client.create_run(where.experiment_id, run_name=name, tags=texts).info
    return Run(client, where, info.run_id, tags)


@contextmanager
def closing(run: NullRun) -> Iterator[None]:
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
            run.send(lambda: run.client.set_terminated(run.id, status))


def failures() -> tuple[type[Exception], ...]:
    """Returns what a store raises that cannot be opened or written (requests' errors are OSErrors)."""
    kinds: list[type[Exception]] = [OSError, ImportError]  # ImportError: a database without its driver
    with suppress(ImportError):
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        kinds += [MlflowException, SQLAlchemyError]
    return tuple(kinds)


def warn(error: Exception) -> None:
    """Says in one line that the stage goes on unrecorded."""
    where = provenance.without_password(store.tracking_uri())
    reason = provenance.without_password(" ".join(str(error).split()))[:300]
    print(f"warning: MLflow at {where} failed, the stage goes on without it: {reason}", file=sys.stderr)


def _metrics(values: Mapping[str, Any], step: int) -> list[Any]:
    from mlflow.entities import Metric

    now_ms = int(time.time() * 1000)
    numbers = {key: float(value) for key, value in flatten(values).items() if isinstance(value, Real)}
    return [Metric(clean_name(key), value, now_ms, step) for key, value in numbers.items()]
