"""The run of one stage, and the record by which others find it again."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from plateau import artifacts, runtime
from plateau.params import Params, dump
from plateau.tracking import provenance, store
from plateau.tracking.null_run import NullRun
from plateau.tracking.run import Run, Where, closing, failures, start, warn

RUNS = Path("reports/runs")


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
    run = _open(params.tracking.experiment, name, {**_tags(params, stage, arm, seed), **(tags or {})})
    started_s = time.perf_counter()
    with closing(run):
        run.log_params({key: value for key, value in dump(params).items() if arm is None or key != "recipe"})
        yield run
        wall_s = time.perf_counter() - started_s
        run.log_metrics({"stage_s": wall_s, "peak_memory_mb": runtime.peak_memory_mb()})
    artifacts.write_json(runs / f"{name}.json", _record(run, name))


def _tags(params: Params, stage: str, arm: str | None, seed: int | None) -> dict[str, Any]:
    """Returns what makes the run findable in the comparison views."""
    backbone = {"backbone": params.backbone.name, "weights": params.backbone.weights}
    kind = "stage" if arm is None else "train"
    return {**provenance.facts(), **backbone, "stage": stage, "arm": arm, "seed": seed, "kind": kind}


def _open(experiment: str, name: str, tags: dict[str, Any]) -> NullRun:
    """Returns a started run, or a NullRun where tracking is off or fails."""
    if os.environ.get("PLATEAU_TRACKING", "").lower() == "off":
        return NullRun()
    store.settle_environment()
    try:
        client = store.open_client()
        parent_id, parents_experiment = store.pipeline_run(client)
        where = Where(parents_experiment or store.experiment_id(client, experiment), parent_id)
        return start(client, where, name, tags)
    except failures() as error:
        warn(error)
        return NullRun()


def _record(run: NullRun, name: str) -> dict[str, Any]:
    uri = provenance.without_password(store.tracking_uri()) if run.run_id else None
    experiment = run.where.experiment_id if isinstance(run, Run) else None
    found_at = {"run_id": run.run_id, "tracking_uri": uri, "experiment_id": experiment}
    return {"name": name, **found_at, "children": run.children}
