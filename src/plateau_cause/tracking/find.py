"""A run has two names: MLflow's id, and the key that plateau gives it.

The key is the tag `plateau.run_key`. A report that was written while the server was away names runs by their
keys; here they are found again, once their journals have been sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plateau_cause import artifacts
from plateau_cause.tracking import store

if TYPE_CHECKING:
    from mlflow import MlflowClient

RUN_KEY = "plateau.run_key"
PREFIX = "plateau-"  # of a key, which tells it from an id
Record = dict[str, Any]  # reports/runs/<stage>.json


def is_key(name: str | None) -> bool:
    """Returns whether this is a key: whether the run had not reached MLflow when its name was written."""
    return name is not None and name.startswith(PREFIX)


def with_key(client: MlflowClient, key: str, experiments: Sequence[str]) -> list[str]:
    """Returns the ids of the runs with this key, the oldest first; one, unless an answer was lost.

    A key that ends with % stands for all that begin so.
    """
    query = f"tags.`{RUN_KEY}` LIKE '{key}'"
    found = client.search_runs(list(experiments), query, order_by=["attributes.start_time ASC", "run_id ASC"])
    return [run.info.run_id for run in found]


def run_id(client: MlflowClient, name: str) -> str | None:
    """Returns MLflow's id of a run given by id or key; None for a key that the server does not know (yet)."""
    if not is_key(name):
        return name
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    return next(iter(with_key(client, name, experiments)), None)


def models_of(client: MlflowClient, run_id: str) -> list[str]:
    """Returns the ids of the models that a run has logged."""
    outputs = client.get_run(run_id).outputs
    return [output.model_id for output in outputs.model_outputs] if outputs else []


def read_records(folder: Path) -> list[Record]:
    """Returns the stages' records; keys in them have become ids where the server knows the runs by now.

    The server is asked only where there are keys, and one that does not answer changes nothing.
    """
    records: list[Record] = [artifacts.read_json(path) for path in sorted(folder.glob("*.json"))]
    if store.is_off() or not any(_keys(record) for record in records):
        return records
    store.settle_environment()
    try:
        client = store.open_client()
        return [_settled(client, record) for record in records]
    except store.failures():
        return records


def _keys(record: Record) -> list[str]:
    names = [record["run_id"], *record["children"].values()]
    return [name for name in names if is_key(name)]


def _settled(client: MlflowClient, record: Record) -> Record:
    """Returns the record with those keys replaced that the server knows."""
    ids = {key: found for key in _keys(record) if (found := run_id(client, key))}
    if not ids:
        return record
    own, children = record["run_id"], record["children"]
    experiment = client.get_run(next(iter(ids.values()))).info.experiment_id
    settled = {"run_id": ids.get(own, own), "experiment_id": experiment}
    return {**record, **settled, "children": {name: ids.get(key, key) for name, key in children.items()}}
