"""What each stage starts from besides the outputs of others, as values: all that changes it, no more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from plateau_cause import imports
from plateau_cause.config import backbone_name
from plateau_cause.config.consistency import WEIGHT_WORDS
from plateau_cause.config.params import Params, dump
from plateau_cause.config.recipe import shared
from plateau_cause.fingerprint import Fingerprints
from plateau_cause.images import sources
from plateau_cause.pipeline.scripts import key_of
from plateau_cause.trial.sizes import is_open, read_px

Values = dict[str, Any]


def collect(given: Params, files: Fingerprints) -> dict[str, Values]:
    """Returns the values by stage; those of a stage that trains by arm.

    Args:
        given: all parameters, defaults filled in: a key that is left out is the same as its default.
        files: reads what the parameters name.

    Raises:
        PlateauError: the images are not there, or lie around the project itself.
    """
    if given.recipe.script is not None:
        return _of_script(given)
    network, compared = _network(given, files), {"reference_data": given.reference_data is not None}
    seeds, recipe, limits = list(given.diagnosis.seeds), dump(given.recipe), dump(given.diagnosis)
    titles = {"data": [given.data.source, given.data.path], "backbone": given.backbone.name}
    return {
        "capture": {},
        "script": {},
        "prepare_data": {**_images(given, files), "asked of them": _asked(given)},
        "embed": {**network, "preprocessing": recipe["preprocessing"], **compared},
        "feature_shift": {"seed": given.data.split.seed, **compared},
        "recipe": {**network, "recipe": recipe, "seeds": seeds},
        "reference": {**network, "recipe": shared(given.recipe), "seeds": seeds},
        "intervene": {**network, "recipe": recipe, "diagnosis": limits},
        "summarize": {**titles, "diagnosis": limits, "tracking": dump(given.tracking)},
    }


def _of_script(given: Params) -> dict[str, Values]:
    """Returns the values where everything is read from a script: the stages that it skips start from none."""
    key: Values = {"script": key_of(given.recipe)}
    limits = dump(given.diagnosis)
    own: dict[str, Values] = {
        "capture": key,
        "script": {**key, "seeds": list(given.diagnosis.seeds)},
        "intervene": {**key, "diagnosis": limits},
        "summarize": {"diagnosis": limits, "tracking": dump(given.tracking)},
    }
    skipped = ("prepare_data", "embed", "feature_shift", "recipe", "reference")
    return {**{stage: {"skipped": True} for stage in skipped}, **own}


def _asked(given: Params) -> Values | None:
    """Returns what decides how large images are stored, where `stored_size` leaves it open."""
    return {"recipe_px": read_px(given), "backbone": dump(given.backbone)} if is_open(given) else None


def _network(given: Params, files: Fingerprints) -> Values:
    """Returns backbone, weights and device, and digests of the user's own weights, model and code."""
    weights, name = given.backbone.weights, backbone_name.parse(given.backbone.name)
    return {
        "backbone": dump(given.backbone),
        "weights_sha256": None if weights in WEIGHT_WORDS else files.sha256(Path(weights)),
        "model": files.of(Path(name.source)) if name.kind in ("folder", "clone") else None,
        "code_sha256": _code(given),
        "device": given.device.partition(":")[0],  # which of several cards makes no difference
    }


def _code(given: Params) -> dict[str, str]:
    """Returns the digests of the user's file and of what it imports from beside it, by path."""
    if given.recipe.code is None:
        return {}
    folder = Path(given.recipe.code).absolute().parent
    return imports.digests(imports.closure([Path(given.recipe.code)], folder), folder)


def _images(given: Params, files: Fingerprints) -> Values:
    """Returns both sections and what their files hold; None where there are none, as for a hub's data."""
    found: Values = {}
    for key, data in (("data", given.data), ("reference_data", given.reference_data)):
        path = sources.local_files(data, key) if data else None
        found[key] = None if data is None else dump(data)
        found[f"{key} files"] = None if path is None else files.of(path)
    return found
