"""A run as stages speak of it: flat names, plain values, files copied; what is said goes to the recorder."""

from __future__ import annotations

import json
import shutil
import sys
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plateau_cause import artifacts
from plateau_cause.tracking import find, model_store, provenance, store
from plateau_cause.tracking.null_run import NullRun
from plateau_cause.tracking.provenance import clean_name, clean_text, column_type, flatten, one_line
from plateau_cause.tracking.recorder import Recorder
from plateau_cause.tracking.store import failures as failures

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

Point = tuple[str, float, int, int]  # metric's name, value, time in ms, step


class Run(NullRun):
    """A run in MLflow; see NullRun for what the methods do."""

    def __init__(
        self, recorder: Recorder, experiment: str, tags: dict[str, Any], pipeline: str | None
    ) -> None:
        super().__init__()
        self.key = f"{find.PREFIX}{uuid.uuid4().hex}"
        self.recorder, self.experiment, self.tags, self.pipeline = recorder, experiment, tags, pipeline
        self._params: dict[str, str] = {}
        self._shared: dict[str, Any] = {}
        self._final: list[Point] = []  # metrics of step 0: what the run amounts to
        self._models = 0

    @property
    def run_id(self) -> str | None:
        """Returns MLflow's id; the key while MLflow does not have the run."""
        return self.recorder.name(self.key)

    @property
    def children(self) -> dict[str, str | None]:
        """Returns the same of every child, by name."""
        return {name: self.recorder.name(str(key)) for name, key in self._children.items()}

    def _say(self, kind: str, **fields: Any) -> Any:
        return self.recorder.say({"kind": kind, "run": self.key, **fields})

    def start(self, name: str, parent: str | None) -> None:
        """Opens the run; a parent is given by key or id."""
        own = {
            "mlflow.source.name": sys.argv[0],
            "mlflow.source.type": "LOCAL",
            "mlflow.source.git.commit": self.tags.get("git.commit"),
            "mlflow.user": provenance.user(),
        }
        uri = provenance.without_password(store.tracking_uri())
        place = {"uri": uri, "experiment": self.experiment, "parent": parent, "name": name}
        self._say("start", **place, tags=_texts({**own, **self.tags}), start_ms=_now_ms())

    def end(self, status: str) -> None:
        """Ends the run: FINISHED, FAILED or KILLED."""
        self._say("end", status=status, end_ms=_now_ms())

    def log_params(self, params: Mapping[str, Any]) -> None:
        flat = {clean_name(key): clean_text(value) for key, value in flatten(params).items()}
        new = {key: value for key, value in flat.items() if key not in self._params}
        self._params |= new
        self._say("params", params=new)

    def share_params(self, params: Mapping[str, Any]) -> None:
        self._shared |= params
        self.log_params(params)

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        found = _points(metrics, step or 0)
        self._final += [point for point in found if point[3] == 0]
        self._say("metrics", metrics=found)

    def log_history(self, history: Sequence[Mapping[str, Any]], step_key: str = "epoch") -> None:
        rows = [({k: v for k, v in row.items() if k != step_key}, int(row[step_key])) for row in history]
        self._say("metrics", metrics=[point for row, step in rows for point in _points(row, step)])

    def log_tags(self, tags: Mapping[str, Any]) -> None:
        self._say("tags", tags=_texts(tags))

    def log_figure(self, figure: Any, path: str) -> None:
        with self._file(path) as target:
            if hasattr(figure, "savefig"):
                figure.savefig(target)
            else:
                figure.write_html(target)

    def log_artifact(self, path: Path, folder: str | None = None) -> None:
        with self._files(folder) as room:
            if Path(path).is_dir():
                shutil.copytree(path, room, dirs_exist_ok=True)
            else:
                shutil.copy(path, room)

    def log_dict(self, content: Mapping[str, Any], path: str) -> None:
        self.log_text(json.dumps(artifacts.plain(content), indent=2, ensure_ascii=False), path)

    def log_text(self, text: str, path: str) -> None:
        with self._file(path) as target:
            target.write_text(text, encoding="utf-8")

    def log_dataset(self, manifest: pd.DataFrame, name: str, digest: str, context: str = "training") -> None:
        columns = [{"name": str(key), "type": column_type(kind)} for key, kind in manifest.dtypes.items()]
        dataset = {
            "name": name,
            "digest": digest[:36],  # all that MLflow stores
            "source_type": "local",
            "source": json.dumps({"uri": "data/prepared/manifest.parquet"}),
            "schema": json.dumps({"mlflow_colspec": columns}),
            "profile": json.dumps({"num_rows": len(manifest)}),
        }
        self._say("dataset", dataset=dataset, context=context)
        self.log_tags({"data_digest": digest})

    def log_model(self, model: Any, input_example: np.ndarray, name: str = "model") -> str | None:
        try:
            room = self.recorder.journal.room()
            model_store.save(room, model, input_example)
        except Exception as error:  # a user's network that does not pickle, a full disk
            print(f"warning: the model cannot be kept: {one_line(error)}", file=sys.stderr)
            return None
        key = f"{self.key}/{name}/{self._models}"
        self._models += 1
        about = {"params": self._params, "tags": _texts(self.tags), "metrics": self._final}
        files = str(room.relative_to(self.recorder.journal.folder))
        uri: str | None = self._say("model", model=key, name=name, files=files, **about)
        return uri

    def log_diagnosis(self, runs: Sequence[str | None], tags: Mapping[str, Any]) -> None:
        self._say("diagnosis", of=[name for name in runs if name], tags=_texts(tags))

    @contextmanager
    def child(self, name: str, tags: Mapping[str, Any] | None = None) -> Iterator[NullRun]:
        own = {**self.tags, "kind": "train", **(tags or {})}
        run = Run(self.recorder, self.experiment, own, self.pipeline)
        self._children[name] = run.key
        run.start(name, self.pipeline or self.key)
        with ending(run):
            run.log_params(self._shared)
            yield run

    @contextmanager
    def _files(self, to: str | None) -> Iterator[Path]:
        """Yields an empty folder, whose content is then recorded under the artifact folder `to`."""
        try:
            room = self.recorder.journal.room()
            yield room
        except OSError as error:  # a file that is not there, a full disk
            print(f"warning: a file cannot be kept: {one_line(error)}", file=sys.stderr)
            return
        self._say("files", files=str(room.relative_to(self.recorder.journal.folder)), to=to)

    @contextmanager
    def _file(self, path: str) -> Iterator[Path]:
        """Yields the file to write that is then recorded under this artifact path."""
        folder, _, name = path.rpartition("/")
        with self._files(folder or None) as room:
            yield room / name


@contextmanager
def ending(run: NullRun) -> Iterator[None]:
    """Ends the run with what became of it."""
    status = "FAILED"
    try:
        yield
        status = "FINISHED"
    except KeyboardInterrupt:
        status = "KILLED"
        raise
    finally:
        run.end(status)


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {clean_name(key): clean_text(value) for key, value in values.items() if value is not None}


def _points(values: Mapping[str, Any], step: int) -> list[Point]:
    numbers = {key: float(value) for key, value in flatten(values).items() if isinstance(value, Real)}
    return [(clean_name(key), value, _now_ms(), step) for key, value in numbers.items()]


def _now_ms() -> int:
    return int(time.time() * 1000)
