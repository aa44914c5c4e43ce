"""Stage intervene: swap the factors in which the arms differ, test what the data may lack."""

from pathlib import Path

from plateau import cli, params


def main() -> None:
    """Reads both arms, features and probes; writes data/interventions and reports/intervene.json."""
    from plateau import bench, tracking
    from plateau.report import intervention_files

    given = params.load()
    lab, rates = bench.open_laboratory(given, Path("."))
    with tracking.stage_run(given, "intervene") as run:
        diagnosed, found = bench.diagnose_arms(lab, rates, given, Path("."))
        intervention_files.track(run, lab, diagnosed)
        intervention_files.write(Path("."), lab, diagnosed, found)


if __name__ == "__main__":
    cli.stage(main)
