"""Stage summarize: compare the runs, attribute the plateau, write the reports."""

from pathlib import Path

from plateau_cause.config import params
from plateau_cause.pipeline import entry as cli


def main() -> None:
    """Reads what the other stages left; writes reports/plateau_cause.* and reports/plots/summary."""
    from plateau_cause import report, tracking
    from plateau_cause.pipeline.gather import gather

    given = params.load()
    folder = Path("reports")
    with tracking.stage_run(given, "summarize") as run:
        content = gather(given, Path("."), run.run_id)
        report.write(content, folder)
        diagnosis = report.diagnosis_tags(content.summary)
        run.log_tags(diagnosis)
        arms = [found["run_id"] for found in content.runs if found["name"] in params.ARMS]
        run.log_diagnosis(arms, {**diagnosis, "diagnosed_by": run.run_id})
        run.log_metrics({**content.summary["verified"], **content.summary["cost"]})
        for name in ("json", "md", "html"):
            run.log_artifact(folder / f"plateau_cause.{name}", "report")
        run.log_artifact(folder / report.PICTURES, "report/plots/summary")


if __name__ == "__main__":
    cli.stage(main)
