"""The workbench of the stages that train: the laboratory over what the earlier stages left on disk."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from pathlib import Path

from plateau_cause import runtime
from plateau_cause.config.params import ARMS, Params
from plateau_cause.features.views import load_views
from plateau_cause.images.store import open_dataset
from plateau_cause.lab.laboratory import Laboratory
from plateau_cause.lab.launch.choice import team
from plateau_cause.lab.rates import Rates
from plateau_cause.lab.scale import Scale, scales
from plateau_cause.pipeline import paths
from plateau_cause.training.user_code import load_user_code


def open_laboratory(params: Params, root: Path) -> tuple[Laboratory, Rates]:
    """Returns the laboratory over the prepared data and the embedded features, and its learning rates.

    Raises:
        PlateauError: the launcher's package is missing.
    """
    lab = _opened(params, root)
    same = replace(params, device=lab.device.type)  # of several cards a worker is given its own
    lab.team = team(params.launcher, partial(_for_worker, same, root, Path.cwd()), str(lab.device))
    return lab, Rates(lab)


def _for_worker(params: Params, root: Path, folder: Path) -> Laboratory:
    """Returns the same laboratory in a worker, in the folder that relative paths are taken from."""
    os.chdir(folder)
    return _opened(params, root)


def _opened(params: Params, root: Path) -> Laboratory:
    lab = Laboratory(
        dataset=open_dataset(root / paths.PREPARED),
        backbone_name=params.backbone.name,
        weights=params.backbone.weights,
        code=load_user_code(params.recipe.code),
        device=runtime.device(params.device),
        folder=root / paths.FINISHED,
        shelves=tuple(root / paths.arm(arm) for arm in ARMS),
        pixels=root / paths.PIXELS,
    )
    views, _ = load_views(root / paths.FEATURES)
    known = {
        (view.preprocessing, view.weights): view.features
        for name, view in views.items()
        if name != "reference" and view.rows is None
    }
    lab.remember({key: value for key, value in known.items() if key[0] is not None})  # type: ignore[misc]
    return lab


def at_scale(lab: Laboratory, rates: Rates) -> tuple[Laboratory, Rates]:
    """Returns laboratory and rates for the first swaps: over a part of the images where there are many."""
    parts = scales(lab.dataset)
    return over(lab, parts[0]) if parts else (lab, rates)


def over(lab: Laboratory, scale: Scale) -> tuple[Laboratory, Rates]:
    """Returns laboratory and rates over a part of the images."""
    part = lab.over(scale.rows)
    return part, Rates(part)
