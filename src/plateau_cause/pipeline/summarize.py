"""Stage summarize: compare the runs, attribute the plateau, write the reports."""

from __future__ import annotations

from pathlib import Path

from plateau_cause import artifacts, tracking
from plateau_cause.config import params
from plateau_cause.pipeline import paths
from plateau_cause.pipeline.gather import gather
from plateau_cause.report import files
from plateau_cause.report.summary import diagnosis_tags


def main() -> None:
    """Reads what the other stages left; writes reports/plateau_cause.*, its metrics and pictures."""
    given = params.load(paths.PARAMS)
    with tracking.stage_run(given, "summarize") as run:
        content = gather(given, Path(), run.run_id)
        files.write(content, paths.REPORTS)
        diagnosis = diagnosis_tags(content.summary)
        artifacts.write_json(paths.metrics("summarize"), metrics(diagnosis))
        run.log_tags(diagnosis)
        arms = [found["run_id"] for found in content.runs if found["name"] in params.ARMS]
        run.log_diagnosis(arms, {**diagnosis, "diagnosed_by": run.run_id})
        run.log_metrics({**content.summary["verified"], **content.summary["cost"]})
        for kind in (".json", ".md", ".html"):
            run.log_artifact(paths.SUMMARY.with_suffix(kind), "report")
        run.log_artifact(paths.SUMMARY_PLOTS, "report/plots/summary")


def metrics(diagnosis: dict[str, str]) -> dict[str, str]:
    """Returns what `dvc metrics` compares beside accuracies and effects: the verdict and the first cause."""
    return {name: diagnosis[name] for name in ("verdict", "primary_cause")}
