"""From a journal into MLflow. Every entry may be sent again: what has arrived before is not there twice.

- A run carries its key as the tag `plateau.run_key`; it is created only where no run has that key.
- Parameters keep their value, tags and files are overwritten, MLflow drops a metric that is equal in name,
  step, time and value, and an input data set that the run has already.
- A model carries its key too, and is found again half uploaded.

A run that a lost answer has created twice is noticed when its journal is sent again; one of the two goes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plateau_cause import runtime
from plateau_cause.tracking import find, model_store, store
from plateau_cause.tracking.journal import Entry, Journal, is_waiting
from plateau_cause.tracking.provenance import one_line

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel

MODEL_KEY = "plateau.model_key"
AT_ONCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}  # a call repeated blindly may create a second run
REFUSED, UNKNOWN = "INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"


class Delivery:
    """Sends the entries of one journal, in their order.

    Attributes:
        ids: MLflow's run id by key, of the runs that have been found or created.
        experiment_id: of these runs; None before the first.
    """

    def __init__(self, client: MlflowClient, folder: Path) -> None:
        from mlflow import entities  # not before a run is opened: it takes a second

        self.client, self.folder, self._entities = client, folder, entities
        self.ids: dict[str, str] = {}
        self.experiment_id: str | None = None
        self._running: set[str] = set()  # keys

    def send(self, entry: Entry) -> Any:
        """Returns what MLflow answers; what it refuses for good costs a line on stderr, and is left out.

        Raises:
            Exception: whatever MLflow and its clients of databases and buckets raise.
        """
        send: Callable[[Entry], Any] = getattr(self, f"_{entry['kind']}")
        try:
            with store.environment(**AT_ONCE):
                return send(entry)
        except Exception as error:
            if _code(error) != REFUSED or entry["kind"] == "start":
                raise
            print(f"warning: MLflow refuses {entry['kind']}: {one_line(error)}", file=sys.stderr)
            return None

    def end_unfinished(self, end_ms: int) -> None:
        """Ends the runs whose process died before it could."""
        for key in sorted(self._running):
            self._end({"run": key, "status": "KILLED", "end_ms": end_ms})

    def _start(self, entry: Entry) -> None:
        self.experiment_id, parent_id = self._place(entry)
        found = find.with_key(self.client, entry["run"], [self.experiment_id])
        for run_id in found[1:]:
            self.client.delete_run(run_id)
        if not found:
            parent = {} if parent_id is None else {"mlflow.parentRunId": parent_id}
            tags = {**entry["tags"], find.RUN_KEY: entry["run"], **parent}
            made = self.client.create_run(self.experiment_id, entry["start_ms"], tags, entry["name"])
            found = [made.info.run_id]
        self.ids[entry["run"]] = found[0]
        self._running.add(entry["run"])

    def _place(self, entry: Entry) -> tuple[str, str | None]:
        """Returns experiment and parent: where `mlflow run` opened a run, that one's experiment."""
        parent = entry["parent"]
        if parent in self.ids:
            return str(self.experiment_id), self.ids[parent]
        try:
            if parent is not None:
                return str(self.client.get_run(parent).info.experiment_id), parent
        except Exception as error:
            if _code(error) != UNKNOWN:  # this server is not the one that `mlflow run` knew
                raise
        return store.experiment_id(self.client, entry["experiment"]), None

    def _replace(self, entry: Entry) -> None:
        """Deletes earlier attempts at a stage, with all that they have recorded."""
        experiments = [str(self.experiment_id)]
        for key in entry["of"]:
            for run_id in find.with_key(self.client, f"{key}%", experiments):
                for model in self._models_made_by(run_id):
                    self.client.delete_logged_model(model.model_id)
                self.client.delete_run(run_id)

    def _params(self, entry: Entry) -> None:
        params = [self._entities.Param(*item) for item in entry["params"].items()]
        self.client.log_batch(self.ids[entry["run"]], params=params)

    def _tags(self, entry: Entry) -> None:
        self._tag(self.ids[entry["run"]], entry["tags"])

    def _tag(self, run_id: str, tags: dict[str, str]) -> None:
        self.client.log_batch(run_id, tags=[self._entities.RunTag(*item) for item in tags.items()])

    def _metrics(self, entry: Entry, model_id: str | None = None) -> None:
        made = self._entities.Metric
        points = [made(name, value, ms, step, model_id) for name, value, ms, step in entry["metrics"]]
        self.client.log_batch(self.ids[entry["run"]], metrics=points)

    def _files(self, entry: Entry) -> None:
        self.client.log_artifacts(self.ids[entry["run"]], str(self.folder / entry["files"]), entry["to"])

    def _dataset(self, entry: Entry) -> None:
        context = self._entities.InputTag("mlflow.data.context", entry["context"])
        dataset = self._entities.Dataset(**entry["dataset"])
        read = self._entities.DatasetInput(dataset, [context])
        self.client.log_inputs(self.ids[entry["run"]], [read])

    def _model(self, entry: Entry) -> str:
        """Returns the model's URI."""
        run_id, folder = self.ids[entry["run"]], self.folder / entry["files"]
        model = self._logged_model(entry)
        if model.status == self._entities.LoggedModelStatus.READY:  # which is said last
            return str(model.model_uri)
        if model.model_id not in find.models_of(self.client, run_id):
            self.client.log_outputs(run_id, [self._entities.LoggedModelOutput(model.model_id, 0)])
        self._metrics(entry, model.model_id)
        model_store.sign(folder, run_id, model)
        self.client.log_model_artifacts(model.model_id, str(folder))
        self.client.finalize_logged_model(model.model_id, "READY")
        return str(model.model_uri)

    def _logged_model(self, entry: Entry) -> LoggedModel:
        """Returns the model of this entry, created where it is not there."""
        run_id, own = self.ids[entry["run"]], {**entry["tags"], MODEL_KEY: entry["model"]}
        made = [
            model for model in self._models_made_by(run_id) if model.tags.get(MODEL_KEY) == entry["model"]
        ]
        for extra in made[1:]:
            self.client.delete_logged_model(extra.model_id)
        place = str(self.experiment_id), entry["name"], run_id
        return made[0] if made else self.client.create_logged_model(*place, own, entry["params"])

    def _models_made_by(self, run_id: str) -> list[LoggedModel]:
        return self.client.search_logged_models([str(self.experiment_id)], f"source_run_id = '{run_id}'")

    def _diagnosis(self, entry: Entry) -> None:
        """Tags other runs and their models; a run that this server does not have is passed over.

        Raises:
            LookupError: the run waits in the outbox, so its diagnosis has to wait too.
        """
        for name in entry["of"]:
            run_id = self.ids.get(name) or find.run_id(self.client, name)
            if run_id is None and is_waiting(name, self.folder.parent):
                raise LookupError(f"the run {name} has to be sent first")
            try:
                if run_id is not None:
                    self._tag_with_models(run_id, entry["tags"])
            except Exception as error:
                if _code(error) not in (UNKNOWN, REFUSED):
                    raise

    def _tag_with_models(self, run_id: str, tags: dict[str, str]) -> None:
        self._tag(run_id, tags)
        for model_id in find.models_of(self.client, run_id):
            self.client.set_logged_model_tags(model_id, tags)

    def _end(self, entry: Entry) -> None:
        self.client.set_terminated(self.ids[entry["run"]], entry["status"], entry["end_ms"])
        self._running.discard(entry["run"])


def _code(error: Exception) -> str | None:
    """Returns MLflow's code of an error; None where it is not MLflow's."""
    return getattr(error, "error_code", None)


def deliver(journal: Journal) -> Delivery:
    """Returns the delivery of a whole journal, which the caller has locked and may remove then.

    Raises:
        Exception: the server is away; the journal can be delivered again.
    """
    delivery = Delivery(store.open_client(), journal.folder)
    for entry in runtime.progress(journal.read(), description=journal.name):
        delivery.send(entry)
    delivery.end_unfinished(journal.changed_ms)
    return delivery
