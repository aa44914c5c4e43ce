"""Stage feature_shift: probes, two-sample tests, label noise, learning curve and the joint picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from plateau_cause import artifacts, tracking
from plateau_cause.config import params
from plateau_cause.features import analysis
from plateau_cause.features.analysis import FeatureShift
from plateau_cause.features.views import View, load_views
from plateau_cause.images.store import open_dataset
from plateau_cause.pipeline import paths
from plateau_cause.report.interactive import umap_html
from plateau_cause.report.plots_features import shift_figures

PLOT_DPI = 110


def main() -> None:
    """Reads data/prepared and data/features; writes data/shift, reports/feature_shift.json and plots."""
    given = params.load(paths.PARAMS)
    dataset = open_dataset(paths.PREPARED)
    reference = open_dataset(paths.REFERENCE) if given.reference_data else None
    found, _ = load_views(paths.FEATURES)
    with tracking.stage_run(given, "feature_shift") as run:
        result = analysis.analyse(dataset, found, reference, given.data.split.seed)
        run.log_metrics(result.metrics)
        write_tables(Path(), result)
        write_plots(paths.SHIFT_PLOTS, paths.UMAP_PAGE, result, found)
        for path in (paths.SHIFT_PLOTS, paths.UMAP_PAGE):
            run.log_artifact(path, "shift")


def write_tables(root: Path, result: FeatureShift) -> None:
    """Writes data/shift and reports/feature_shift.json below the root."""
    with artifacts.atomic_folder(root / paths.SHIFT) as folder:
        artifacts.write_parquet(folder / paths.PROJECTION.name, result.points)
        artifacts.write_parquet(folder / "predictions.parquet", result.predictions)
        artifacts.write_json(folder / "tests.json", result.tests)
        artifacts.write_json(folder / paths.PROBES.name, _plain(result))
        artifacts.write_json(folder / paths.NOISE.name, result.noise)
    artifacts.write_json(root / paths.metrics("feature_shift"), result.metrics)


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
