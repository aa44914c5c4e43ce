"""Stage intervene: swap the factors in which the arms differ, test what the data may lack."""

from pathlib import Path

from plateau_cause.config import params
from plateau_cause.pipeline import entry as cli


def main() -> None:
    """Reads both arms, features and probes; writes data/interventions and reports/intervene.json."""
    from plateau_cause import tracking
    from plateau_cause.lab import landscape
    from plateau_cause.pipeline import bench, intervention_files

    given = params.load()
    lab, rates = bench.open_laboratory(given, Path("."))
    with tracking.stage_run(given, "intervene") as run:
        diagnosed, found = bench.diagnose_arms(lab, rates, given, Path("."))
        arms = diagnosed.runs["recipe"], diagnosed.runs["reference"]
        surface = landscape.survey(lab, *arms) if given.diagnosis.landscape else {}
        intervention_files.track(run, lab, diagnosed)
        intervention_files.write(Path("."), lab, diagnosed, found, surface)


if __name__ == "__main__":
    cli.stage(main)
