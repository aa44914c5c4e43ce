"""How large images have to be stored: what the recipe, the user's file and the weights ask for."""

from __future__ import annotations

from pathlib import Path

from plateau_cause.config import backbone_name
from plateau_cause.config.params import Params
from plateau_cause.errors import PlateauError

USUAL_PX = 224  # what most weights expect


def is_open(params: Params) -> bool:
    """Returns whether `stored_size` leaves it open for any images that are not tiny anyway."""
    sections = [data for data in (params.data, params.reference_data) if data is not None]
    return any(data.stored_size is None and data.source != "digits" for data in sections)


def read_px(params: Params) -> int:
    """Returns the largest size that the recipe makes of an image, pixels.

    With a file of the user's own: the largest that stands in it as a number, or what most weights expect.
    """
    if params.recipe.code is None:
        return params.recipe.preprocessing.size
    from plateau_cause.training.user_source import read_source

    try:
        source = read_source(Path(params.recipe.code))
    except PlateauError:  # said where the file is loaded
        return USUAL_PX
    if "transform" not in source.defined:
        return params.recipe.preprocessing.size
    return max(source.sizes, default=USUAL_PX)


def asked_px(params: Params) -> int:
    """Returns the larger of what the recipe makes of an image and of what the weights expect, pixels.

    Where it is not open, nobody asks: then it is what most weights expect.
    """
    if not is_open(params):
        return USUAL_PX
    return max(read_px(params), expected_px(params))


def expected_px(params: Params) -> int:
    """Returns the input size that the weights expect, where the libraries say so; else what is usual."""
    from plateau_cause.backbones import catalogue
    from plateau_cause.backbones.expectations import expectation
    from plateau_cause.trial.backbone import LOCAL, on_meta

    if backbone_name.parse(params.backbone.name).kind not in LOCAL:
        return USUAL_PX
    architecture = catalogue.find(params.backbone.name)
    model = on_meta(architecture)
    return USUAL_PX if model is None else expectation(architecture, model, params.backbone.weights).size
