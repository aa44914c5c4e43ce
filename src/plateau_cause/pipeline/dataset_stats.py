"""Stage dataset_stats: class balance, sizes, colours, duplicates, leakage between splits."""

from __future__ import annotations

from pathlib import Path

from plateau_cause import artifacts, tracking
from plateau_cause.config import params
from plateau_cause.images.statistics import Statistics, describe, metrics
from plateau_cause.images.store import Dataset, open_dataset
from plateau_cause.pipeline import paths
from plateau_cause.report.plots_data import figures

PLOT_DPI = 110


def main() -> None:
    """Reads data/prepared; writes data/statistics, reports/dataset_stats.json and plots."""
    given = params.load(paths.PARAMS)
    dataset = open_dataset(paths.PREPARED)
    with tracking.stage_run(given, "dataset_stats") as run:
        found = describe(dataset)
        write_tables(paths.STATISTICS, paths.metrics("dataset_stats"), found)
        write_plots(paths.DATASET_PLOTS, dataset, found)
        run.log_metrics(metrics(found))
        run.log_artifact(paths.STATISTICS, "statistics")
        run.log_artifact(paths.DATASET_PLOTS, "dataset")


def write_tables(folder: Path, report: Path, found: Statistics) -> None:
    """Writes the tables of the stage into the folder, and its metrics."""
    tables = {
        "images": found.images,
        "class_counts": found.counts.rename_axis("label").reset_index(),
        "duplicates": found.pairs,
        "leakage": found.leaked,
        "conflicts": found.conflicts,
    }
    with artifacts.atomic_folder(folder) as temporary:
        for name, table in tables.items():
            artifacts.write_parquet(temporary / f"{name}.parquet", table)
    artifacts.write_json(report, metrics(found))


def write_plots(folder: Path, dataset: Dataset, found: Statistics) -> None:
    """Writes every figure as PNG, the whole folder at once."""
    with artifacts.atomic_folder(folder) as temporary:
        for name, figure in figures(dataset, found).items():
            figure.savefig(temporary / f"{name}.png", dpi=PLOT_DPI)
