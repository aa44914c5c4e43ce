"""Which network of torchvision, timm or Hugging Face a model is, or holds: by its class and its shapes."""

from __future__ import annotations

import inspect
import sys
from functools import cache
from typing import Any

CLASSES = 1000  # of the published weights


def architecture(model: Any) -> tuple[str, Any] | None:
    """Returns the name by which the network is built and the module that is it; None for any other."""
    for of_library in (_of_timm, _of_torchvision, _of_hugging_face):  # the last may hold one of timm's
        for module in model.modules():
            name = of_library(module)
            if name is not None:
                return name, module
    return None


def _of_timm(module: Any) -> str | None:
    config = getattr(module, "pretrained_cfg", None) or getattr(module, "default_cfg", None)
    if config is None or not type(module).__module__.startswith("timm."):
        return None
    name = config.get("architecture") if hasattr(config, "get") else getattr(config, "architecture", None)
    return str(name) if name else None


def _of_hugging_face(module: Any) -> str | None:
    name = getattr(getattr(module, "config", None), "model_type", None)
    return str(name) if name and type(module).__module__.startswith("transformers.") else None


def _of_torchvision(module: Any) -> str | None:
    """Returns the builder in the class's own file whose network has the same layers but for linear ones."""
    file = type(module).__module__
    if not file.startswith("torchvision.models."):
        return None
    wanted = _shapes(module)
    for name, build in vars(sys.modules[file]).items():
        if not inspect.isfunction(build) or "weights" not in inspect.signature(build).parameters:
            continue
        if name.startswith("_") or inspect.signature(build).return_annotation not in _names(module):
            continue
        candidate = _without_memory(build)
        if type(candidate) is type(module) and _are_alike(wanted, _shapes(candidate)):
            return name
    return None


def _names(module: Any) -> tuple[Any, ...]:
    """Returns what a builder may write as the kind of network that it returns."""
    return type(module), type(module).__name__, inspect.Signature.empty


@cache
def _without_memory(build: Any) -> Any:
    """Returns a network whose parameters take no memory; what is computed to build it is computed."""
    import torch
    from torch.overrides import TorchFunctionMode

    class Unallocated(TorchFunctionMode):
        def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            given = dict(kwargs or {})
            if function in (torch.empty, torch.zeros, torch.ones):
                given["device"] = "meta"
            return function(*args, **given)

    with Unallocated():
        return build(weights=None)


def _are_alike(own: list[tuple[int, ...]], published: list[tuple[int, ...]]) -> bool:
    """Returns whether shapes agree but for the number of classes, where a convolution gives them."""
    if len(own) != len(published):
        return False
    pairs = zip(own, published, strict=True)
    return all(one == other or (other[0] == CLASSES and one[1:] == other[1:]) for one, other in pairs)


def _shapes(module: Any) -> list[tuple[int, ...]]:
    """Returns the shapes of all parameters but those of linear layers: heads differ from task to task."""
    from torch import nn

    layers = [one for one in module.modules() if not isinstance(one, nn.Linear)]
    return [tuple(one.shape) for layer in layers for one in layer.parameters(recurse=False)]
