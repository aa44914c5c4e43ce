"""Stage dataset_stats: class balance, sizes, colours, duplicates, leakage between splits."""

from pathlib import Path

from plateau_cause.config import params
from plateau_cause.pipeline import entry as cli


def main() -> None:
    """Reads data/prepared; writes data/statistics, reports/dataset_stats.json and plots."""
    from plateau_cause import tracking
    from plateau_cause.images.statistics import describe, metrics
    from plateau_cause.images.store import open_dataset
    from plateau_cause.pipeline import dataset_files

    given = params.load()
    dataset = open_dataset(Path("data/prepared"))
    tables, plots = Path("data/statistics"), Path("reports/plots/dataset")
    with tracking.stage_run(given, "dataset_stats") as run:
        found = describe(dataset)
        dataset_files.write_tables(tables, Path("reports/dataset_stats.json"), found)
        dataset_files.write_plots(plots, dataset, found)
        run.log_metrics(metrics(found))
        run.log_artifact(tables, "statistics")
        run.log_artifact(plots, "dataset")


if __name__ == "__main__":
    cli.stage(main)
