"""What besides an arm decides its result: plateau's own code, the network's weights, the files of its own."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import torch

from plateau_cause import imports
from plateau_cause.backbones.types import Backbone
from plateau_cause.config import backbone_name
from plateau_cause.fingerprint import Fingerprints

PACKAGE = Path(__file__).parents[1]
TRAINS = PACKAGE / "lab/laboratory.py"  # this and all that it imports


@cache
def own_code() -> str:
    """Returns a digest of the modules of plateau that train."""
    folder = PACKAGE.parent
    return imports.digest(imports.closure([TRAINS], folder, only=PACKAGE.name), folder)


def model_files(name: str) -> str:
    """Returns a digest of the folder that `backbone.name` leads to; empty where it is a library's model."""
    parsed = backbone_name.parse(name)
    return Fingerprints().of(Path(parsed.source))["sha256"] if parsed.kind in ("folder", "clone") else ""


def file_bytes(weights: str) -> str:
    """Returns the digest of the file that `backbone.weights` names; empty where it names none."""
    return Fingerprints().sha256(Path(weights))


def state(backbone: Backbone) -> str:
    """Returns a digest of the weights as they were loaded: a package or a hub may bring others one day."""
    whole = hashlib.sha256()
    for name, tensor in backbone.stages.state_dict().items():
        whole.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        whole.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return whole.hexdigest()
