"""Stage dataset_stats: classes, sizes, colours, duplicates and leakage between splits."""

from pathlib import Path

from plateau import cli, params


def main() -> None:
    """Reads data/prepared; writes data/statistics, reports/dataset_stats.json and reports/plots/dataset."""
    from plateau import tracking
    from plateau.data import statistics
    from plateau.data.store import open_dataset
    from plateau.report import dataset_files

    given = params.load()
    dataset = open_dataset(Path("data/prepared"))
    with tracking.stage_run(given, "dataset_stats") as run:
        found = statistics.describe(dataset)
        run.log_metrics(found.metrics)
        dataset_files.write_tables(Path("data/statistics"), Path("reports/dataset_stats.json"), found)
        dataset_files.write_plots(Path("reports/plots/dataset"), dataset, found)
        run.log_artifact(Path("reports/plots/dataset"), "dataset")


if __name__ == "__main__":
    cli.stage(main)
