"""Retraining from beginning to end: the two functions that the command line and CI call.

`retrain` pulls, reproduces, registers today's model, compares it with the deployed one and promotes what is
better; `promote_decided` does the last step alone, in a job that a person has approved. Both work in the
current directory, the root of the repository, as the stages do.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from plateau_cause import artifacts, tracking
from plateau_cause.errors import PlateauError
from plateau_cause.pipeline import paths
from plateau_cause.retraining import decision, drift, pipeline, report, training_set
from plateau_cause.retraining.decision import Candidate, Comparison
from plateau_cause.retraining.registration import Today, answers, check_agreement, read_today, register
from plateau_cause.retraining.training_set import TrainingSet
from plateau_cause.tracking import registry
from plateau_cause.tracking.registry import Registry, Version
from plateau_cause.tracking.run import Run


def retrain(promote: bool = True) -> dict[str, Any]:
    """Returns the record of a retraining, which is also written to reports/retrain.json and .md.

    Args:
        promote: whether the alias `champion` moves when it should; False only decides.

    Raises:
        PlateauError: something that the user can mend.
        PipelineError: DVC or a stage failed.
        RegistryError: the tracking server failed.
    """
    if os.environ.get("PLATEAU_TRACKING", "").lower() == "off":
        raise PlateauError("PLATEAU_TRACKING: got 'off'; a retraining needs the model registry")
    paths.RETRAINED.unlink(missing_ok=True)  # an old decision must not be taken for today's
    registry.reach()  # rather now than after hours of training
    _say("1/5  bring in what is new")
    pipeline.pull()
    _say("2/5  run what it changes")
    pipeline.reproduce()
    today = read_today()
    versions = Registry(today.params.tracking.experiment)
    with tracking.stage_run(today.params, "retrain", runs=paths.RETRAIN_RECORDS) as run:
        found = _assess(today, versions, run)
        if promote and found["promote"]:
            versions.promote(found["challenger"]["version"])
        found["promoted"] = promote and found["promote"]
        _write(run, found)
    return found


def promote_decided() -> dict[str, Any]:
    """Returns the record of the last retraining, after its challenger was promoted if it says so.

    Raises:
        PlateauError: there is no record, or another champion has been named since.
        RegistryError: the tracking server failed.
    """
    if not paths.RETRAINED.exists():
        raise PlateauError(f"{paths.RETRAINED}: no such file; `make retrain` decides first")
    found: dict[str, Any] = artifacts.read_json(paths.RETRAINED)
    if not found["promote"]:
        return found
    versions = Registry(found["model"])
    champion, wanted = versions.version(registry.CHAMPION), found["challenger"]["version"]
    if champion is not None and champion.version == wanted:
        return {**found, "promoted": True}
    before, now = (found["champion"] or {}).get("version"), champion.version if champion else None
    if before != now:
        raise PlateauError(
            f"version {wanted} was compared with champion {before or '(none)'}, which is {now or '(none)'} "
            "now; `make retrain` compares again"
        )
    versions.promote(wanted)
    return {**found, "promoted": True}


def _assess(today: Today, versions: Registry, run: Run) -> dict[str, Any]:
    """Returns the record: today's model registered, compared with the deployed one, and the decision."""
    champion = versions.version(registry.CHAMPION)
    _say("3/5  register today's model")
    challenger = register(today, versions, run)
    found = answers(today, versions, challenger)
    check_agreement(challenger, found)
    _say("4/5  compare it with the deployed one")
    known = _training_set(versions, champion) if champion else None
    other = champion if champion and champion.version != challenger.version else None
    compared = _compare(today, versions, other, known, found) if other else None
    moved = drift.measure(known, today.dataset, today.view, today.params.backbone) if known else None
    decided = decision.decide(_candidate(challenger), _candidate(champion) if champion else None, compared)
    sides = _facts(challenger), _facts(champion) if champion else None
    record = report.record(decided, versions.name, *sides, compared, moved, run.run_id)
    run.log_metrics(report.metrics(compared, moved))
    run.log_tags({"outcome": decided.outcome, "reason": decided.reason, "version": challenger.version})
    return record


def _compare(
    today: Today, versions: Registry, champion: Version, known: TrainingSet | None, challenger: np.ndarray
) -> Comparison:
    """Returns both models on the test images that the champion never learned from."""
    test = today.dataset.manifest.iloc[today.test]
    labels = test["label"].to_numpy(object)
    learned = known.knows(test, training_set.LEARNED_FROM) if known else np.zeros(len(test), bool)
    return decision.compare(
        answers(today, versions, champion) == labels, challenger == labels, is_fair=~learned
    )


def _training_set(versions: Registry, version: Version) -> TrainingSet | None:
    with tempfile.TemporaryDirectory() as folder:
        kept = versions.training_set(version, Path(folder))
        return None if kept is None else training_set.load(kept)


def _candidate(version: Version) -> Candidate:
    return Candidate(version.version, version.causes)


def _facts(version: Version) -> dict[str, Any]:
    return {"version": version.version, **version.tags}


def _write(run: Run, found: dict[str, Any]) -> None:
    artifacts.write_json(paths.RETRAINED, found)
    artifacts.write_text(paths.RETRAINED_PAGE, report.markdown(found))
    for path in (paths.RETRAINED, paths.RETRAINED_PAGE):
        run.log_artifact(path, "report")


def _say(step: str) -> None:
    print(step, flush=True)
