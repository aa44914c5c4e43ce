"""A run as stages speak of it: flat names, plain values, files copied; what is said goes to the recorder."""

from __future__ import annotations

import json
import shutil
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plateau_cause import artifacts
from plateau_cause.tracking import find, model_store, provenance, store
from plateau_cause.tracking.outbox import Recorder
from plateau_cause.tracking.presentation import NOTE, child_note
from plateau_cause.tracking.provenance import clean_name, clean_text, column_type, flatten, one_line

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

Point = tuple[str, float, int, int]  # metric's name, value, time in ms, step


class Run:
    """A run in MLflow; without a recorder, one that listens to nothing.

    Attributes:
        key: the run's name until MLflow has it (`tracking.find`); a child's begins with its parent's.
        tags: of the run and its children.
    """

    def __init__(
        self,
        recorder: Recorder | None = None,
        experiment: str = "",
        tags: Mapping[str, Any] | None = None,
        pipeline: str | None = None,
        key: str | None = None,
    ) -> None:
        self.key = key or f"{find.PREFIX}{uuid.uuid4().hex}"
        self.recorder, self.experiment, self.tags, self.pipeline = recorder, experiment, tags or {}, pipeline
        self._params: dict[str, str] = {}
        self._shared: dict[str, Any] = {}
        self._final: list[Point] = []  # metrics of step 0: what the run amounts to
        self._children: dict[str, Run] = {}
        self._numbers = count(1)  # of children and models

    @property
    def run_id(self) -> str | None:
        """Returns MLflow's id; the key while MLflow does not have the run; None: nothing is recorded."""
        return self.recorder.name(self.key) if self.recorder else None

    @property
    def children(self) -> dict[str, str | None]:
        """Returns the same of every child, by name."""
        return {name: child.run_id for name, child in self._children.items()}

    def start(self, name: str, parent: str | None) -> None:
        """Opens the run; a parent is given by key or id."""
        own = {
            "mlflow.source.name": sys.argv[0],
            "mlflow.source.type": "LOCAL",
            **{f"mlflow.source.{fact}": self.tags.get(fact) for fact in provenance.GIT},
            "mlflow.user": provenance.user(),
        }
        place = {"uri": store.address(), "experiment": self.experiment, "parent": parent, "name": name}
        self._say("start", **place, tags=_texts({**own, **self.tags}), start_ms=_now_ms())

    def end(self, status: str) -> None:
        """Ends the run: FINISHED, FAILED or KILLED."""
        self._say("end", status=status, end_ms=_now_ms())

    def replace(self, keys: Sequence[str]) -> None:
        """Deletes the runs with these keys and their children, in whose place this one stands."""
        if keys:
            self._say("replace", of=keys)

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Records parameters, nested names joined by dots; a name recorded before keeps its value."""
        flat = {clean_name(key): clean_text(value) for key, value in flatten(params).items()}
        new = {key: value for key, value in flat.items() if key not in self._params}
        self._params |= new
        self._say("params", params=new)

    def share_params(self, params: Mapping[str, Any]) -> None:
        """Records parameters of the run and of every child that follows, so that they compare alike."""
        self._shared |= params
        self.log_params(params)

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Records the numbers among these in one call, nested names joined by dots."""
        found = _points(metrics, step or 0)
        self._final += [point for point in found if point[3] == 0]
        self._say("metrics", metrics=found)

    def log_history(self, history: Sequence[Mapping[str, Any]], step_key: str = "epoch") -> None:
        """Records a whole curve in one call: the numbers of each row at the step that `step_key` names."""
        rows = [({k: v for k, v in row.items() if k != step_key}, int(row[step_key])) for row in history]
        self._say("metrics", metrics=[point for row, step in rows for point in _points(row, step)])

    def log_tags(self, tags: Mapping[str, Any]) -> None:
        """Records tags."""
        self._say("tags", tags=_texts(tags))

    def log_figure(self, figure: Any, path: str) -> None:
        """Records a matplotlib (.png) or plotly (.html) figure under this artifact path."""
        self._keep_file(path, figure.savefig if hasattr(figure, "savefig") else figure.write_html)

    def log_artifact(self, path: Path, folder: str | None = None) -> None:
        """Records a file, or everything in a folder."""
        if Path(path).is_dir():
            self._keep(folder, lambda room: shutil.copytree(path, room, dirs_exist_ok=True))
        else:
            self._keep(folder, lambda room: shutil.copy(path, room))

    def log_dict(self, content: Mapping[str, Any], path: str) -> None:
        """Records a JSON file."""
        self.log_text(json.dumps(artifacts.plain(content), indent=2, ensure_ascii=False), path)

    def log_text(self, text: str, path: str) -> None:
        """Records a text, Markdown or HTML file."""
        self._keep_file(path, lambda target: target.write_text(text, encoding="utf-8"))

    def log_dataset(self, manifest: pd.DataFrame, name: str, digest: str, context: str = "training") -> None:
        """Records the manifest's schema and size as the input data set, and its digest as a tag."""
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
        """Records a model that loads again by URI, with the run's parameters, tags and final metrics.

        Args:
            model: an object on the CPU with `predict(images) -> pandas.DataFrame`, where images is a
                uint8 array (N, H, W, 3); it must pickle.
            input_example: uint8 (n, H, W, 3).
            name: the model's name.

        Returns:
            The URI for `mlflow.pyfunc.load_model(uri).predict(images)`; None where MLflow has it not.
        """
        files = self._written("the model", lambda room: model_store.save(room, model, input_example))
        if files is None:
            return None
        about = {"params": self._params, "tags": _texts(self.tags), "metrics": self._final}
        key = f"{self.key}/{name}/{next(self._numbers)}"
        uri: str | None = self._say("model", model=key, name=name, files=files, **about)
        return uri

    def log_diagnosis(self, runs: Sequence[str | None], tags: Mapping[str, Any]) -> None:
        """Records what was found out about other runs (ids or keys), as tags on them and their models."""
        self._say("diagnosis", of=[name for name in runs if name], tags=_texts(tags))

    @contextmanager
    def child(self, name: str, tags: Mapping[str, Any] | None = None) -> Iterator[Run]:
        """Yields a run with this one's tags and these, nested; under `mlflow run` both have one parent."""
        own = {**self.tags, "kind": "train", **(tags or {})}
        own[NOTE] = child_note(name, own)
        key = f"{self.key}.{next(self._numbers)}"
        run = self._children[name] = Run(self.recorder, self.experiment, own, self.pipeline, key)
        run.start(name, self.pipeline or self.key)
        with ending(run):
            run.log_params(self._shared)
            yield run

    def _say(self, kind: str, **fields: Any) -> Any:
        """Returns what MLflow answers, None where it does not."""
        return self.recorder.say({"kind": kind, "run": self.key, **fields}) if self.recorder else None

    def _keep_file(self, path: str, write: Callable[[Path], object]) -> None:
        """Records the file that `write` makes, under this artifact path."""
        folder, _, name = path.rpartition("/")
        self._keep(folder or None, lambda room: write(room / name))

    def _keep(self, to: str | None, write: Callable[[Path], object]) -> None:
        """Records the files that `write` puts into a folder, under the artifact folder `to`."""
        files = self._written("a file", write)
        if files is not None:
            self._say("files", files=files, to=to)

    def _written(self, what: str, write: Callable[[Path], object]) -> str | None:
        """Returns the journal's folder that `write` has filled; None where nothing can or need be kept."""
        if self.recorder is None:
            return None
        try:
            room = self.recorder.journal.room()
            write(room)
        except Exception as error:  # a full disk, a file that is not there, a network that does not pickle
            print(f"warning: {what} cannot be kept: {one_line(error)}", file=sys.stderr)
            return None
        return str(room.relative_to(self.recorder.journal.folder))


@contextmanager
def ending(run: Run) -> Iterator[None]:
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
