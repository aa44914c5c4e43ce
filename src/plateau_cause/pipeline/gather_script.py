"""Gathers what the stages of a script left on disk into the content of the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from plateau_cause import artifacts
from plateau_cause.capture.table.whole import rows
from plateau_cause.config.params import OF_ALL, OF_PART, Params
from plateau_cause.diagnosis.plateau import Plateau, detect, explain
from plateau_cause.pipeline import links, paths
from plateau_cause.report.content import ReportContent
from plateau_cause.report.summary import describe_plateau, judged_curve, label_map, summarize
from plateau_cause.tracking.find import read_records

UNKNOWN = ("knn", "linear_probe", "linear_probe_canonical", "random_features")  # without the network apart


def gather_script(params: Params, root: Path, run_id: str | None) -> ReportContent:
    """Returns the report's content from data/capture and data/interventions."""
    found, content = artifacts.read_json(root / paths.FINDINGS), artifacts.read_json(root / paths.PEEK)
    curves = artifacts.read_parquet(root / paths.CURVES)
    records = read_records(root / paths.RUN_RECORDS)
    run_ids = label_map(records)
    name = OF_ALL if "scale" in found else "recipe"
    if "scale" in found:
        run_ids["recipe"] = run_ids.get(OF_PART, "")
    if "script" in run_ids:
        run_ids[name] = run_ids["script"]
    limits = params.diagnosis
    levels = _levels(found)
    run = next(run for run in found["runs"] if run["name"] == name)
    own = curves[curves["arm"] == name][judged_curve(run)].dropna().tolist()
    state = _plateau(run, own, levels, limits.min_effect, found["test_images"])
    summary = summarize(found, levels, state, limits.min_effect, run_ids, limits.target_accuracy)
    command = " ".join([content["script"]["given"], *content["script"]["arguments"]])
    summary["script"] = {"command": command, "rows": [list(row) for row in rows(content)]}
    summary["notes"] += [f"Not tried ({name}): {why}." for name, why in found["left_out"].items()]
    summary["run_id"] = run_id
    return ReportContent(
        summary=summary,
        title=command,
        curves=curves,
        runs=[links.linked(run, run_ids.get(run["name"], ""), records) for run in found["runs"]],
        fix=found["recommended"]["name"],
    )  # fmt: skip


def _levels(found: dict[str, Any]) -> dict[str, float | None]:
    best = found["recommended"]["after"]
    return {**found["levels"], **dict.fromkeys(UNKNOWN), "reference": best}


def _plateau(
    run: dict[str, Any], curve: list[float], levels: dict[str, float | None], tolerance: float, images: int
) -> dict[str, Any]:
    flat = detect(curve, tolerance) if curve else Plateau(0.0, None, 0.0, (0.0, 0.0))
    known = {name: level for name, level in levels.items() if name != "reference"}
    explained = explain(run["test_accuracy"], known, images)
    return describe_plateau(run, flat.level, flat.from_epoch, explained, flat.range if curve else None)
