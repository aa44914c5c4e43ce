"""Stage prepare_data: the user's images read once, decoded once, split."""

from __future__ import annotations

from dataclasses import asdict

from plateau_cause import artifacts, tracking
from plateau_cause.config import params
from plateau_cause.images.prepare import prepare, prepare_reference
from plateau_cause.images.store import open_dataset
from plateau_cause.pipeline import paths


def main() -> None:
    """Reads the user's images; writes data/prepared, data/reference and reports/prepare_data.json."""
    given = params.load(paths.PARAMS)
    with tracking.stage_run(given, "prepare_data") as run:
        asked_px = artifacts.read_json(paths.inputs("prepare_data"))["asked_px"]
        counts = asdict(prepare(given.data, paths.PREPARED, asked_px=asked_px))
        counts |= prepare_reference(given.reference_data, paths.REFERENCE, asked_px)
        artifacts.write_json(paths.metrics("prepare_data"), counts)
        dataset = open_dataset(paths.PREPARED)
        run.log_dataset(dataset.manifest, given.data.source, dataset.digest)
        run.log_metrics(counts)
        run.log_artifact(paths.QUARANTINE)
