"""Which network of torchvision, timm or Hugging Face a model is, or holds: by its class and its shapes."""

from __future__ import annotations

import inspect
import sys
from functools import cache
from typing import Any, NamedTuple

CLASSES = 1000  # of the published weights
PLAIN = ("torchvision.models.alexnet", "torchvision.models.vgg")  # made of nothing but layers of torch
SHORTEST = 10  # tensors of the smallest of these, AlexNet, but for its head


class Network(NamedTuple):
    """A published network that a model is, or holds."""

    library: str
    name: str  # by which the library builds it
    module: Any


def architecture(model: Any) -> Network | None:
    """Returns the published network that a model is, or holds; None for any other."""
    for library, name_of in LIBRARIES:
        for module in model.modules():
            name = name_of(module)
            if name is not None:
                return Network(library, name, module)
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
    wanted, kinds = _shapes(module), (type(module), type(module).__name__, inspect.Signature.empty)
    for name, build in _builders(file):
        if inspect.signature(build).return_annotation in kinds:
            candidate = _without_memory(build)
            if type(candidate) is type(module) and _are_alike(wanted, _shapes(candidate)):
                return name
    return None


def _cut_of_torchvision(module: Any) -> str | None:
    """Returns the builder whose network has the same layers but for linear ones, of a sequence of its parts.

    So people cut the head off: `nn.Sequential(*list(network.children())[:-1])`, or `network.features`.
    """
    if type(module).__module__ != "torch.nn.modules.container":
        return None
    files = {type(one).__module__ for one in module.modules()}
    files = {one for one in files if one.startswith("torchvision.models.")}
    wanted = _shapes(module)
    for file in sorted(files or {one for one in PLAIN if one in sys.modules}):
        for name, build in _builders(file):
            if len(wanted) >= SHORTEST and _shapes(_without_memory(build)) == wanted:
                return name
    return None


def _builders(file: str) -> list[tuple[str, Any]]:
    """Returns the functions of a file of torchvision that build a published network, by name."""
    own = [(name, one) for name, one in vars(sys.modules[file]).items()
           if inspect.isfunction(one) and one.__module__ == file and not name.startswith("_")]  # fmt: skip
    return [(name, one) for name, one in own if "weights" in inspect.signature(one).parameters]


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


LIBRARIES = (
    ("timm", _of_timm),
    ("torchvision", _of_torchvision),
    ("transformers", _of_hugging_face),  # which may hold one of timm's
    ("torchvision", _cut_of_torchvision),
)
