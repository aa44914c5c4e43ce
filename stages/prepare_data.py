"""Stage prepare_data: read the user's images once, decode them once, split them."""

from dataclasses import asdict
from pathlib import Path

from plateau_cause import artifacts
from plateau_cause.config import params
from plateau_cause.pipeline import entry as cli


def main() -> None:
    """Writes data/prepared, data/reference and reports/prepare_data.json."""
    from plateau_cause import tracking
    from plateau_cause.images.prepare import prepare, prepare_reference
    from plateau_cause.images.store import open_dataset

    given = params.load()
    with tracking.stage_run(given, "prepare_data") as run:
        counts = asdict(prepare(given.data, Path("data/prepared")))
        counts |= prepare_reference(given.reference_data, Path("data/reference"))
        artifacts.write_json(Path("reports/prepare_data.json"), counts)
        dataset = open_dataset(Path("data/prepared"))
        run.log_dataset(dataset.manifest, given.data.source, dataset.digest)
        run.log_metrics(counts)
        run.log_artifact(Path("data/prepared/quarantine.parquet"))


if __name__ == "__main__":
    cli.stage(main)
