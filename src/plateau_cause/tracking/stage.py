"""The run of one stage, and the record by which others find it again."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from plateau_cause import artifacts, runtime
from plateau_cause.config.params import Params, dump
from plateau_cause.tracking import attempts, provenance, store
from plateau_cause.tracking.journal import Journal
from plateau_cause.tracking.outbox import Recorder
from plateau_cause.tracking.presentation import NOTE, stage_note
from plateau_cause.tracking.run import Run, ending

RUNS = Path("reports/runs")


@contextmanager
def stage_run(
    params: Params,
    stage: str,
    arm: str | None = None,
    seed: int | None = None,
    tags: Mapping[str, Any] | None = None,
    runs: Path = RUNS,
) -> Iterator[Run]:
    """Yields the run of one stage; leaves `<runs>/<stage>[@arm].json`, by which others find it again.

    The record is an output that DVC caches and that no stage depends on: a stage restored from the
    cache brings back the run that made it. Further seeds of an arm are children of the run. Attempts at the
    stage that were cut off give way to it.

    Args:
        params: all parameters; recorded, except an arm's recipe, which the stage records as it is run.
        stage: name of the DVC stage.
        arm: recipe or reference, for a stage that trains.
        seed: of the arm.
        tags: further tags.
        runs: folder of the records.
    """
    name = stage if arm is None else f"{stage}@{arm}"
    recorder = _recorder(name)
    run = _started(recorder, params, name, {**_tags(params, stage, arm, seed), **(tags or {})})
    started_s = time.perf_counter()
    with nullcontext() if recorder is None else closing(recorder), ending(run):
        given = dump(params)
        recipe = given.pop("recipe")
        run.share_params(given)
        run.log_params({"recipe": recipe} if arm is None else {})
        yield run
        wall_s = time.perf_counter() - started_s
        run.log_metrics({"stage_s": wall_s, "peak_memory_mb": runtime.peak_memory_mb()})
    record = runs / f"{name}.json"
    artifacts.write_json(record, _record(recorder, run, name))
    attempts.finished(name, record)


def _tags(params: Params, stage: str, arm: str | None, seed: int | None) -> dict[str, Any]:
    """Returns what makes the run findable in the comparison views."""
    backbone = {"backbone": params.backbone.name, "weights": params.backbone.weights}
    kind = "stage" if arm is None else "train"
    own = {"stage": stage, "arm": arm, "seed": seed, "kind": kind, NOTE: stage_note(stage, arm)}
    return {**provenance.facts(), **backbone, **own}


def _recorder(name: str) -> Recorder | None:
    """Returns where the stage's runs are recorded; None where tracking is off or the disk takes nothing."""
    if store.is_off():
        return None
    store.settle_environment()
    try:
        return Recorder(Journal.create(name))
    except OSError as error:
        reason = provenance.one_line(error)
        print(f"warning: the stage's run cannot be kept on disk: {reason}", file=sys.stderr)
        return None


def _started(recorder: Recorder | None, params: Params, name: str, tags: dict[str, Any]) -> Run:
    if recorder is None:
        return Run()
    pipeline = store.pipeline_run_id()
    run = Run(recorder, params.tracking.experiment, tags, pipeline)
    earlier = attempts.begun(name, run.key)
    run.start(name, pipeline)
    run.replace(earlier)
    return run


def _record(recorder: Recorder | None, run: Run, name: str) -> dict[str, Any]:
    uri = store.address() if recorder else None
    experiment = recorder.experiment_id if recorder else None
    found_at = {"run_id": run.run_id, "tracking_uri": uri, "experiment_id": experiment}
    return {"name": name, **found_at, "children": run.children}
