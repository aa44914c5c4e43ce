"""Gathers what the stages left on disk into the content of the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from plateau_cause import artifacts
from plateau_cause.config.params import ALL, OF_ALL, OF_PART, Params
from plateau_cause.diagnosis.plateau import Plateau, detect, explain
from plateau_cause.pipeline import links, paths
from plateau_cause.pipeline.gather_training import gather_training
from plateau_cause.report.content import ReportContent
from plateau_cause.report.summary import describe_plateau, judged_curve, label_map, summarize
from plateau_cause.tracking.find import read_records

LEVEL_VIEWS = {"linear_probe": "recipe", "linear_probe_canonical": "canonical", "random_features": "random"}


def gather(params: Params, root: Path, run_id: str | None) -> ReportContent:
    """Returns the report's content from data/, reports/ and the run records."""
    found = artifacts.read_json(root / paths.FINDINGS)
    curves = artifacts.read_parquet(root / paths.CURVES)
    probes = artifacts.read_json(root / paths.PROBES)
    records = read_records(root / paths.RUN_RECORDS)
    run_ids = label_map(records)
    if "scale" in found:
        run_ids = {**run_ids, OF_ALL: run_ids.get("recipe", ""), "recipe": run_ids.get(OF_PART, "")}
    levels = _levels(found, probes)
    state = _plateau(found, curves, levels, params.diagnosis.min_effect)
    limits = params.diagnosis
    summary = summarize(found, levels, state, limits.min_effect, run_ids, limits.target_accuracy)
    summary["run_id"] = run_id
    return ReportContent(
        summary=summary,
        title=f"{params.data.path or params.data.source} · {params.backbone.name}",
        curves=curves,
        runs=[links.linked(run, run_ids.get(run["name"], ""), records) for run in found["runs"]],
        differences=_differences(found),
        dataset=_dataset(root, probes.get("sampled")),
        profile=_profile(root),
        projection=artifacts.read_parquet(root / paths.PROJECTION),
        trustworthiness=probes["umap"]["trustworthiness"],
        learning_curve=_learning_curve(probes["learning_curve"]),
        **gather_training(root, found),
    )


def _levels(found: dict[str, Any], probes: dict[str, Any]) -> dict[str, float | None]:
    accuracy = {run["name"]: run["test_accuracy"] for run in found["runs"]}
    views = probes["views"]
    linear = {name: views[view]["linear_probe"]["accuracy"]["test"] for name, view in LEVEL_VIEWS.items()}
    knn = views["recipe"]["knn"]["accuracy"]["test"]
    known = {"chance": probes["chance"], "majority": probes["majority"], "knn": knn, **linear}
    at_scale = [name for name in accuracy if name.endswith(ALL) and name != OF_ALL]
    return {**known, "reference": accuracy[at_scale[0] if at_scale else "reference"]}


def _plateau(
    found: dict[str, Any], curves: pd.DataFrame, levels: dict[str, float | None], tolerance: float
) -> dict[str, Any]:
    name, before = "recipe", found["recommended"]["before"]
    if scale := found.get("scale"):  # the user's recipe is the one that had all images
        name, before = OF_ALL, scale["before"]
    run = next(run for run in found["runs"] if run["name"] == name)
    run = {**run, "test_accuracy": before}  # over all seeds, as everywhere
    curve = curves[curves["arm"] == name][judged_curve(run)].tolist()
    flat = detect(curve, tolerance) if curve else Plateau(0.0, None, 0.0, (0.0, 0.0))
    known = {name: level for name, level in levels.items() if name != "reference"}
    explained = explain(run["test_accuracy"], known, found["test_images"])
    return describe_plateau(run, flat.level, flat.from_epoch, explained, flat.range)


def _differences(found: dict[str, Any]) -> list[dict[str, str]]:
    rows = []
    for swap in found["findings"]:
        for part in swap["difference"].split("; "):
            key, _, values = part.partition(": ")
            own, _, other = values.partition(" instead of ")
            rows.append({"factor": key, "recipe": own, "reference": other})
    return rows


def _dataset(root: Path, sampled: int | None) -> dict[str, Any]:
    facts = artifacts.read_json(root / paths.metrics("prepare_data"))
    found = {name: value for name, value in facts.items() if isinstance(value, int | float | str)}
    if sampled is not None:
        found["features"] = f"on a sample of {sampled:,} of {facts['images']:,} images"
    return found


def _profile(root: Path) -> dict[str, list[dict[str, Any]]]:
    views = artifacts.read_json(root / paths.PROFILE)["views"]
    return {name: view["profile"]["layers"] for name, view in views.items() if view["profile"]["layers"]}


def _learning_curve(curve: dict[str, Any]) -> pd.DataFrame:
    accuracy = [sum(row) / len(row) for row in curve["accuracy"]]
    rows = [
        {"n": n, "accuracy": a, "fit_low": a, "fit_high": a}
        for n, a in zip(curve["sizes"], accuracy, strict=True)
    ]
    low, high = curve["forecast"]
    rows.append({"n": 2 * curve["sizes"][-1], "accuracy": float("nan"), "fit_low": low, "fit_high": high})
    return pd.DataFrame(rows)
