"""Stage embed: the frozen backbone's features of every view, and what its batch-norm layers see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from plateau_cause import artifacts, runtime, tracking
from plateau_cause.config import params
from plateau_cause.config.params import Params
from plateau_cause.features import embed, views
from plateau_cause.features.views import View
from plateau_cause.images.store import open_dataset
from plateau_cause.lab.scale import scales
from plateau_cause.pipeline import estimate, paths
from plateau_cause.training.transforms import coloured
from plateau_cause.training.user_code import load_user_code


def main() -> None:
    """Reads data/prepared (and data/reference); writes data/features and reports/embed.json."""
    given = params.load(paths.PARAMS)
    estimate.announce(given, open_dataset(paths.PREPARED))
    with tracking.stage_run(given, "embed") as run:
        found, about = write_features(given, Path())
        run.log_tags({"weights.loaded": about["load_report"]["words"]})
        artifacts.write_json(paths.metrics("embed"), views.metrics(found))
        run.log_metrics(views.metrics(found))
        run.log_artifact(paths.PROFILE)


def write_features(given: Params, root: Path) -> tuple[dict[str, View], dict[str, Any]]:
    """Writes data/features below the root; returns the views by name, and what they were made with."""
    dataset = open_dataset(root / paths.PREPARED)
    reference = open_dataset(root / paths.REFERENCE) if given.reference_data else None
    own = load_user_code(given.recipe.code).transform
    transform = own and coloured(own)
    parts, device = scales(dataset), runtime.device(given.device)
    include = parts[0].rows if parts else None  # what the swaps train on: labels in doubt are told there
    found = embed.embed_views(dataset, given, device, transform, reference, include)
    about = embed.describe(dataset, given, transform)
    views.save_views(root / paths.FEATURES, found, about)
    return found, about
