"""The declared backbone: is there such a model, do the weights fit it, and does it take the size?

Models are built on torch's meta device, which knows shapes and no numbers: each in a fraction of a second.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torchvision
from huggingface_hub import constants, try_to_load_from_cache
from torch import nn

from plateau_cause.backbones import catalogue, load_backbone, snapshot
from plateau_cause.backbones.classifier import head_names
from plateau_cause.backbones.loading import account
from plateau_cause.backbones.state_files import read_state
from plateau_cause.backbones.types import Architecture, Backbone
from plateau_cause.config import backbone_name
from plateau_cause.config.consistency import WEIGHT_WORDS
from plateau_cause.config.params import Params
from plateau_cause.errors import PlateauError, one_line, shown
from plateau_cause.trial.finding import Findings

LOCAL = ("model", "folder", "clone")  # kinds of names that need no network
HUB_FILES = ("model.safetensors", "pytorch_model.bin")  # as timm names weights on the hub
WELL_LOADED = 0.9  # share of the body: below it, the weights are another model's


def examine(params: Params, found: Findings) -> bool:
    """Says what is wrong with name, weights and size; returns whether the model can be built here."""
    name, weights = params.backbone.name, params.backbone.weights
    state = None
    if weights not in WEIGHT_WORDS and not found.touches("backbone.weights"):
        state = found.tried(lambda: read_state(Path(weights))[0])
    if found.touches("backbone.name"):
        return False
    if backbone_name.parse(name).kind not in LOCAL:
        found.notes.append(f"backbone.name: {shown(name)} is fetched when it is needed, and was not tried")
        return False
    architecture = found.tried(lambda: catalogue.find(name))
    model = on_meta(architecture) if architecture is not None else None
    if state is not None and model is not None:
        found.tried(lambda: _say_fit(model, state, weights, found))
    if weights == "pretrained" and architecture is not None and model is not None:
        found.tried(lambda: _can_be_had(architecture, model))
    if params.recipe.code is None and model is not None:
        found.tried(lambda: _takes(model, name, params.recipe.preprocessing.size))
    return architecture is not None


def real(params: Params, found: Findings) -> Backbone | None:
    """Returns the declared backbone with its weights; random ones where they would have to be downloaded."""
    name, weights = params.backbone.name, params.backbone.weights
    if found.touches("backbone") or backbone_name.parse(name).kind not in LOCAL:
        return None
    return found.tried(lambda: load_backbone(name, "none" if weights == "pretrained" else weights))


def on_meta(architecture: Architecture) -> nn.Module | None:
    """Returns the library's model without numbers; None where it can only be built with them."""
    if architecture.library not in ("torchvision", "timm"):
        return None
    try:
        with torch.device("meta"):
            return catalogue.build(architecture, seed=0).eval()
    except Exception:  # a model that computes something while it is built
        return None


def _can_be_had(architecture: Architecture, model: nn.Module) -> None:
    """Raises PlateauError where the pretrained weights are neither on this machine nor to be downloaded."""
    if architecture.library == "torchvision":
        url = torchvision.models.get_model_weights(architecture.name).DEFAULT.url
        is_here = (Path(torch.hub.get_dir()) / "checkpoints" / Path(url).name).exists()
    else:
        url, config = constants.ENDPOINT, getattr(model, "pretrained_cfg", None) or {}
        repository = config.get("hf_hub_id")
        is_here = repository is None or any(
            isinstance(try_to_load_from_cache(repository, file), str) for file in HUB_FILES
        )
    if not is_here and not snapshot.is_reachable(url):
        raise PlateauError(
            f"backbone.weights: got 'pretrained'; the weights of {architecture.name} are not on this machine "
            f"and {url} cannot be reached; allowed without a network: bundled, none, or a file"
        )


def _say_fit(model: nn.Module, state: dict[str, torch.Tensor], weights: str, found: Findings) -> None:
    _, report = account(model.state_dict(), state, head_names(model), Path(weights).name)
    if report.loaded_frac < WELL_LOADED:
        found.notes.append(f"backbone.weights: {weights}: {report.describe()}")


def _takes(model: nn.Module, name: str, size_px: int) -> None:
    """Raises PlateauError where the model does not take images of this size."""
    try:
        with torch.no_grad():
            model(torch.empty(1, 3, size_px, size_px, device="meta"))
    except NotImplementedError:  # an operation that has no shapes-only form
        return
    except Exception as error:  # each library says it in its own way
        reason = one_line(str(error))[:160]
        raise PlateauError(
            f"recipe.preprocessing.size: {name} does not take {size_px} px ({reason})"
        ) from None
