"""The files of the stage dataset_stats."""

from __future__ import annotations

from pathlib import Path

from plateau_cause import artifacts
from plateau_cause.images.statistics import Statistics, metrics
from plateau_cause.images.store import Dataset
from plateau_cause.report.plots_data import figures

PLOT_DPI = 110


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
