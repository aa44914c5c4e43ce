"""PyTorch Hub: a repository with a hubconf.py, on GitHub or as a clone; its code runs on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from plateau_cause.backbones.libraries import seeded
from plateau_cause.backbones.types import Architecture
from plateau_cause.errors import PlateauError


def build(architecture: Architecture, seed: int, pretrained: bool) -> nn.Module:
    """Returns what the entry point gives, with its own weights or random ones.

    Raises:
        PlateauError: the repository or its weights cannot be had, or it does not give what is asked for.
    """
    name = f"{architecture.name}:{architecture.entry}"
    try:
        with seeded(seed):
            model = _call(architecture, pretrained)
    except PlateauError:
        raise
    except Exception as error:  # urllib, zipfile, and whatever the repository's own code raises
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        hint = "" if _is_clone(architecture) else "; path/to/clone:entry works without a network"
        raise PlateauError(f"backbone.name: {name} cannot be loaded ({reason}){hint}") from error
    if not isinstance(model, nn.Module):
        raise PlateauError(f"backbone.name: {name} gives {type(model).__name__}, not a torch.nn.Module")
    return model


def _call(architecture: Architecture, pretrained: bool) -> Any:
    """Calls the entry point; what it calls the choice of weights is found by trying."""
    source = "local" if _is_clone(architecture) else "github"
    choices: list[dict[str, Any]] = [
        {"pretrained": pretrained},
        {"weights": "DEFAULT" if pretrained else None},
    ]
    for choice in choices:
        try:
            return torch.hub.load(
                architecture.name,
                architecture.entry,
                **choice,
                source=source,
                trust_repo=True,  # named by the user; asking would wait for an answer that nobody gives
                verbose=False,
            )
        except TypeError as error:
            if "unexpected keyword argument" not in str(error):
                raise
    if pretrained:
        return torch.hub.load(
            architecture.name, architecture.entry, source=source, trust_repo=True, verbose=False
        )
    raise PlateauError(
        f"backbone.weights: {architecture.name}:{architecture.entry} takes neither `pretrained` nor "
        "`weights`, so it gives no random weights; allowed: pretrained"
    )


def _is_clone(architecture: Architecture) -> bool:
    return Path(architecture.name).is_dir()
