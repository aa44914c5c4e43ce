"""torchvision and timm: which models they have, and how these are built."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

# Arguments that let a model of fixed input size take others; most models know none of them.
ANY_SIZE: tuple[dict[str, Any], ...] = (
    {"dynamic_img_size": True, "dynamic_img_pad": True},
    {"dynamic_img_size": True},
    {"strict_img_size": False, "dynamic_mask": True},
    {"strict_img_size": False},
    {},
)
# GoogLeNet and Inception v3: without the auxiliary classifiers, and with the input shift of their weights.
AUXILIARY: dict[str, Any] = {"aux_logits": False, "transform_input": True, "init_weights": True}


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Runs the block under this seed and puts the global generator (CPU) back afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def build_torchvision(name: str, seed: int, pretrained: bool) -> nn.Module:
    """Returns torchvision's model, with the weights that it has by default or random ones."""
    import torchvision

    extra = AUXILIARY if name in ("googlenet", "inception_v3") else {}
    with seeded(seed):
        model: nn.Module = torchvision.models.get_model(name, weights=None, **extra)
    if pretrained:
        state = torchvision.models.get_model_weights(name).DEFAULT.get_state_dict(
            progress=True, check_hash=True
        )
        model.load_state_dict(
            {k: v for k, v in state.items() if not (extra and k.startswith(("aux", "AuxLogits")))}
        )
    return model


def build_timm(name: str, seed: int, pretrained: bool) -> nn.Module:
    """Returns timm's model, by name or from a folder (`local-dir:path`), for any input size if it can."""
    import timm

    for extra in ANY_SIZE:
        try:
            with seeded(seed):
                return timm.create_model(name, pretrained=pretrained, **extra)
        except TypeError as error:
            if not extra or "unexpected keyword argument" not in str(error):
                raise
    raise AssertionError("unreachable: the last try has no extra arguments")


def in_torchvision(name: str) -> bool:
    """Returns whether torchvision has a classifier of this name."""
    return name in torchvision_names()


def in_timm(name: str) -> bool:
    """Returns whether timm has this model, and this tag of it where one is given (resnet18.a1_in1k)."""
    import timm

    architecture, _, tag = name.partition(".")
    return bool(timm.is_model(architecture)) and (not tag or name in tagged_names(architecture))


def tagged_names(architecture: str) -> list[str]:
    """Returns the names of timm's weights for an architecture."""
    import timm

    return list(timm.list_pretrained(f"{architecture}.*"))


def torchvision_names() -> list[str]:
    """Returns torchvision's classifiers."""
    import torchvision

    return list(torchvision.models.list_models(module=torchvision.models))


def all_names(library: str = "") -> list[str]:
    """Returns the models of one library, or of both."""
    import timm

    return [
        *(torchvision_names() if library != "timm" else []),
        *(timm.list_models() if library != "torchvision" else []),
    ]
