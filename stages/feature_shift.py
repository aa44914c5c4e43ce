"""Stage feature_shift: probes, two-sample tests, label noise, learning curve and the joint picture."""

from pathlib import Path

from plateau_cause.config import params
from plateau_cause.pipeline import entry as cli


def main() -> None:
    """Reads data/prepared and data/features; writes data/shift, reports/feature_shift.json and plots."""
    from plateau_cause import tracking
    from plateau_cause.features import analysis, views
    from plateau_cause.images.store import open_dataset
    from plateau_cause.pipeline import shift_files

    given = params.load()
    dataset = open_dataset(Path("data/prepared"))
    reference = open_dataset(Path("data/reference")) if given.reference_data else None
    found, _ = views.load_views(Path("data/features"))
    with tracking.stage_run(given, "feature_shift") as run:
        result = analysis.analyse(dataset, found, reference, given.data.split.seed)
        run.log_metrics(result.metrics)
        shift_files.write_tables(Path("data/shift"), Path("reports/feature_shift.json"), result)
        plots, page = Path("reports/plots/shift"), Path("reports/umap.html")
        shift_files.write_plots(plots, page, result, found)
        for path in (plots, page):
            run.log_artifact(path, "shift")


if __name__ == "__main__":
    cli.stage(main)
