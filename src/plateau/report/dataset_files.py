"""The files of the stage dataset_stats."""

from __future__ import annotations

from pathlib import Path

from plateau import artifacts
from plateau.data.statistics import DatasetStatistics
from plateau.data.store import Dataset
from plateau.report import style
from plateau.report.plots_data import dataset_figures

TABLES = ("images", "class_counts", "duplicates", "leakage", "conflicts", "crossing_groups")


def write_tables(folder: Path, metrics: Path, found: DatasetStatistics) -> None:
    """Writes the tables of the stage into the folder, all at once, and the flat metrics."""
    with artifacts.atomic_folder(folder) as temporary:
        for name in TABLES:
            artifacts.write_parquet(temporary / f"{name}.parquet", getattr(found, name))
    artifacts.write_json(metrics, found.metrics)


def write_plots(folder: Path, dataset: Dataset, found: DatasetStatistics) -> None:
    """Writes every figure as PNG, the whole folder at once."""
    with artifacts.atomic_folder(folder) as temporary:
        for name, figure in dataset_figures(dataset, found).items():
            (temporary / f"{name}.png").write_bytes(style.to_png(figure))
