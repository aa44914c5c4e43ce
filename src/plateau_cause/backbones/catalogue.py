"""Names of models: which library has them, how they are built, and without classifier."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from torch import nn

from plateau_cause.backbones import hugging_face, libraries, snapshot, torch_hub
from plateau_cause.backbones.classifier import remove_classifier
from plateau_cause.backbones.hidden_states import Logits
from plateau_cause.backbones.types import Architecture
from plateau_cause.config import backbone_name
from plateau_cause.config.backbone_name import BackboneName
from plateau_cause.errors import PlateauError, shown

HAS = {"torchvision": libraries.in_torchvision, "timm": libraries.in_timm}


def find(name: str) -> Architecture:
    """Returns the model of this name; torchvision's where both torchvision and timm have it.

    What forms a name takes, `plateau_cause.config.backbone_name` says.

    Raises:
        PlateauError: no such model; the line gives the nearest names.
    """
    given = backbone_name.parse(name)
    if given.kind == "hub":
        return hugging_face.architecture(snapshot.fetch(given.source), given.source)
    if given.kind == "folder":
        return hugging_face.architecture(Path(given.source))
    if given.entry:
        return Architecture("torch_hub", given.source, entry=given.entry)
    return _find_model(given)


def build(architecture: Architecture, seed: int, pretrained: bool = False) -> nn.Module:
    """Returns the library's own model; random weights come from the seed, the global generator is left alone.

    Raises:
        PlateauError: a folder or a repository does not give such a model.
        Exception: whatever the hub's download raises, for `pretrained`.
    """
    if architecture.library == "torchvision":
        return libraries.build_torchvision(architecture.name, seed, pretrained)
    if architecture.library == "torch_hub":
        return torch_hub.build(architecture, seed, pretrained)
    if architecture.library == "transformers":
        return hugging_face.build(architecture.name, seed)
    return libraries.build_timm(architecture.name, seed, pretrained)


def features(architecture: Architecture, model: nn.Module) -> nn.Module:
    """Returns the model as a module from images to features; its classifier is taken out, in place."""
    remove_classifier(model)
    return Logits(model) if architecture.library == "transformers" else model


def _find_model(given: BackboneName) -> Architecture:
    for library in (given.library,) if given.library else tuple(HAS):
        if HAS[library](given.source):
            return Architecture(library, given.source)
    bare = given.source.partition(".")[0]
    names = libraries.tagged_names(bare) if libraries.in_timm(bare) else libraries.all_names(given.library)
    near = _nearest(given.source.lower().replace("-", "_"), names)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    hint += f"; for the folder write ./{given.source}" if os.path.isdir(given.source) else ""
    where = f"{given.library} has no" if given.library else "neither torchvision nor timm has"
    raise PlateauError(f"backbone.name: {where} {shown(given.source)}{hint}")


def _nearest(name: str, names: list[str], count: int = 3) -> list[str]:
    """Returns the names that go on where this one stops, shortest first; without any, the most alike."""
    longer = sorted(
        (other for other in set(names) if other.startswith(name)), key=lambda other: (len(other), other)
    )
    return longer[:count] or difflib.get_close_matches(name, sorted(set(names)), n=count, cutoff=0.5)
