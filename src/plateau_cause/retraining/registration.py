"""Today's model: what the pipeline left of it, and how it becomes a version of the registered model."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from plateau_cause import artifacts, numbers
from plateau_cause.config import params
from plateau_cause.config.params import Params
from plateau_cause.errors import PlateauError
from plateau_cause.features.views import View, load_views
from plateau_cause.images.store import PIXELS, Dataset, open_dataset
from plateau_cause.pipeline import paths
from plateau_cause.report.markdown import escape
from plateau_cause.retraining import training_set
from plateau_cause.tracking import provenance, registry
from plateau_cause.tracking.registry import Registry, RegistryError, Version
from plateau_cause.tracking.run import Run

LEAST_AGREEMENT = 0.95  # of the registered model with the trained one: devices round differently, no more


@dataclass(frozen=True)
class Today:
    """What the pipeline left.

    Attributes:
        params: as it ran.
        dataset: the images of the day.
        view: canonical features of all of them.
        arm_key: content key of the trained recipe.
        summary: reports/plateau_cause.json.
    """

    params: Params
    dataset: Dataset
    view: View
    arm_key: str
    summary: dict[str, Any]

    @property
    def test(self) -> np.ndarray:
        """Returns the rows (n,) of the test images."""
        return self.dataset.indices("test")


def read_today() -> Today:
    """Returns what the pipeline left in the current directory.

    Raises:
        PlateauError: something is missing, or the experiment's name cannot name a model.
    """
    given = params.load()
    registry.check_name(given.tracking.experiment)
    views, _ = load_views(paths.FEATURES)
    return Today(
        params=given,
        dataset=open_dataset(paths.PREPARED),
        view=views["canonical"],
        arm_key=artifacts.read_json(paths.arm_record("recipe"))["keys"][0],
        summary=artifacts.read_json(paths.SUMMARY),
    )


def register(today: Today, versions: Registry, run: Run) -> Version:
    """Returns today's model as a version, the challenger from now on: the one it is already, or a new one.

    It is the model that stage finetune@recipe logged. Where this server has no such model, because the stage
    came from the cache of another machine or the recipe is the user's own code, the retraining logs it.

    Raises:
        PlateauError: the model cannot be registered.
        RegistryError: the tracking server failed.
    """
    known = versions.find(today.arm_key)
    if known is not None:
        versions.challenge(known.version)
        return known
    if run.run_id is None:
        raise RegistryError("the retraining could not be recorded, so its model cannot be registered")
    trained_by = artifacts.read_json(paths.run_record("finetune@recipe"))["run_id"]
    uri, tags = versions.logged_model(trained_by) or _log_model(today, run), _tags(today)
    own = training_set.describe(today.dataset, today.view, today.params.backbone)
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / registry.TRAINING_SET
        training_set.save(kept, own)
        return versions.register(uri, run.run_id, kept, tags, _description(today, tags))


def _description(today: Today, tags: Mapping[str, Any]) -> str:
    """Returns what people read beside the version, Markdown."""
    changed = ", with changes that were not committed" if tags.get("git.dirty") == "true" else ""
    code = f"commit {tags['git.commit'][:10]}{changed}" if "git.commit" in tags else "code outside git"
    accuracy = numbers.percent(float(tags["test_accuracy"]))
    return (
        f"{today.params.backbone.name}, trained by the recipe of params.yaml on "
        f"{len(today.dataset.indices('train'))} images of {len(today.dataset.classes)} classes ({code}). "
        f"Test accuracy {accuracy} on {len(today.test)} images.\n\n"
        f"Diagnosis: **{tags['verdict']}**. {escape(tags['headline'])}"
    )


def answers(today: Today, versions: Registry, version: Version) -> np.ndarray:
    """Returns a version's labels (n,) str for today's test images.

    Raises:
        RegistryError: the model cannot be loaded or used.
    """
    rows = today.dataset.manifest.iloc[today.test]
    places = {key: rows[key].tolist() for key in ("offset", "stored_height", "stored_width")}
    return np.array(versions.predict(version, paths.PREPARED / PIXELS, places), object)


def check_agreement(version: Version, found: np.ndarray) -> None:
    """Raises a RegistryError where the registered model, loaded again, is not the one that was trained."""
    trained = artifacts.read_parquet(paths.predictions("recipe"))["predicted"].to_numpy(object)
    agreement = float((trained == found).mean())
    if agreement < LEAST_AGREEMENT:
        raise RegistryError(
            f"{version.uri} answers like the trained model on {agreement:.0%} of the test images only"
        )


def _tags(today: Today) -> dict[str, Any]:
    """Returns what a version says about itself: data, code, recipe, diagnosis."""
    causes = [cause["cause"] for cause in today.summary["causes"]]
    accuracy = artifacts.read_json(paths.metrics("finetune_recipe"))["test_accuracy"]
    return {
        **provenance.facts(paths.PREPARED),
        "backbone": today.params.backbone.name,
        "recipe": json.dumps(params.dump(today.params.recipe)),
        "test_accuracy": f"{accuracy:.4f}",
        "verdict": today.summary["verdict"],
        "primary_cause": causes[0] if causes else "none",
        "causes": ",".join(causes),
        "headline": today.summary["headline"],
        registry.ARM_KEY: today.arm_key,
    }


def _log_model(today: Today, run: Run) -> str:
    """Returns the URI of the recipe's model, logged by the run of the retraining."""
    from plateau_cause.lab import store
    from plateau_cause.pipeline import arms, bench
    from plateau_cause.training import user_code

    result = store.load(paths.arm("recipe"), today.arm_key)
    if result is None:
        raise PlateauError(f"{paths.arm('recipe')}: incomplete; run `dvc repro -f finetune@recipe`")
    lab, _ = bench.open_laboratory(today.params, Path("."))
    user_code.travel_with_models()
    example = today.dataset.store.image(int(today.test[0]))[None]  # (1, H, W, 3)
    uri = run.log_model(arms.predictor(lab, result), example)
    if uri is None:
        raise RegistryError("the model could not be stored; the warning above says why")
    return uri
