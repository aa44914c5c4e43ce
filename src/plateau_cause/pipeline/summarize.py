"""Stage summarize: compare the runs, attribute the plateau, write the reports."""

from __future__ import annotations

from pathlib import Path

from plateau_cause import tracking
from plateau_cause.config import params
from plateau_cause.pipeline import paths
from plateau_cause.pipeline.gather import gather
from plateau_cause.report import files
from plateau_cause.report.summary import diagnosis_tags


def main() -> None:
    """Reads what the other stages left; writes reports/plateau_cause.* and reports/plots/summary."""
    given = params.load(paths.PARAMS)
    with tracking.stage_run(given, "summarize") as run:
        content = gather(given, Path(), run.run_id)
        files.write(content, paths.REPORTS)
        diagnosis = diagnosis_tags(content.summary)
        run.log_tags(diagnosis)
        arms = [found["run_id"] for found in content.runs if found["name"] in params.ARMS]
        run.log_diagnosis(arms, {**diagnosis, "diagnosed_by": run.run_id})
        run.log_metrics({**content.summary["verified"], **content.summary["cost"]})
        for kind in (".json", ".md", ".html"):
            run.log_artifact(paths.SUMMARY.with_suffix(kind), "report")
        run.log_artifact(paths.SUMMARY_PLOTS, "report/plots/summary")
