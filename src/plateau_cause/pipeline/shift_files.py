"""The files of the stage feature_shift."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from plateau_cause import artifacts
from plateau_cause.features.analysis import FeatureShift
from plateau_cause.features.views import View
from plateau_cause.report.interactive import umap_html
from plateau_cause.report.plots_features import shift_figures

PLOT_DPI = 110


def write_tables(folder: Path, metrics: Path, result: FeatureShift) -> None:
    """Writes the tables of the stage into the folder, and the flat metrics."""
    with artifacts.atomic_folder(folder) as temporary:
        artifacts.write_parquet(temporary / "projection.parquet", result.points)
        artifacts.write_parquet(temporary / "predictions.parquet", result.predictions)
        artifacts.write_json(temporary / "tests.json", result.tests)
        artifacts.write_json(temporary / "probes.json", _plain(result))
        artifacts.write_json(temporary / "noise.json", result.noise)
    artifacts.write_json(metrics, result.metrics)


def write_plots(folder: Path, page: Path, result: FeatureShift, views: Mapping[str, View]) -> None:
    """Writes every figure as PNG, the whole folder at once, and the joint picture as a page of its own."""
    quality = result.picture.trustworthiness, result.picture.preservation
    profiles = {name: view.profile for name, view in views.items()}
    with artifacts.atomic_folder(folder) as temporary:
        for name, figure in shift_figures(result.points, quality, profiles, result.probes).items():
            figure.savefig(temporary / f"{name}.png", dpi=PLOT_DPI)
    artifacts.write_text(page, umap_html(result.points, *quality))


def _plain(result: FeatureShift) -> dict[str, object]:
    picture = {key: value for key, value in asdict(result.picture).items() if key != "points"}
    return {**result.probes, "umap": picture}
