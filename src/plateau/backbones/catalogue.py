"""Names of architectures: which library has them, how they are built, where their classifier is."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from plateau.errors import PlateauError

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


@dataclass(frozen=True)
class Architecture:
    """A model name and the library that has it: timm | torchvision."""

    library: str
    name: str


def find(name: str) -> Architecture:
    """Returns the architecture of this name; torchvision's where both libraries have it.

    A prefix `timm:` or `torchvision:` decides between them.

    Raises:
        PlateauError: no such model; the line gives the nearest names.
    """
    library, _, bare = name.rpartition(":")
    known: dict[str, Callable[[str], bool]] = {"torchvision": _in_torchvision, "timm": _in_timm}
    if library and library not in known:
        raise PlateauError(f"backbone.name: got {name!r}; a prefix must be timm: or torchvision:")
    for candidate in (library,) if library else tuple(known):
        if known[candidate](bare):
            return Architecture(candidate, bare)
    architecture = bare.partition(".")[0]
    names = _tagged_names(architecture) if _in_timm(architecture) else _all_names(library)
    near = _nearest(bare.lower().replace("-", "_"), names)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    raise PlateauError(f"backbone.name: {library or 'neither torchvision nor timm'} has no {bare!r}{hint}")


def build(architecture: Architecture, seed: int, pretrained: bool = False) -> nn.Module:
    """Returns the library's own model; random weights come from the seed, the global generator is left alone.

    Raises:
        Exception: whatever the hub's download raises, for `pretrained`.
    """
    if architecture.library == "torchvision":
        return _build_torchvision(architecture.name, seed, pretrained)
    return _build_timm(architecture.name, seed, pretrained)


def classifier(model: nn.Module) -> nn.Module | None:
    """Returns the layer that turns features into outputs per class; None where it is not one linear layer."""
    if hasattr(model, "get_classifier"):
        head = _call(model, "get_classifier")
        return head if isinstance(head, nn.Linear) else None
    return next((m for m in reversed(list(model.modules())) if isinstance(m, nn.Linear)), None)


def head_names(model: nn.Module) -> frozenset[str]:
    """Returns the names of the state entries that belong to the classifier (or classifiers)."""
    head = _call(model, "get_classifier") if hasattr(model, "get_classifier") else _last_layer(model)
    heads = head if isinstance(head, tuple | list) else (head,)
    own = {id(tensor) for h in heads for tensor in h.state_dict(keep_vars=True).values()}
    return frozenset(name for name, tensor in model.state_dict(keep_vars=True).items() if id(tensor) in own)


def remove_classifier(model: nn.Module) -> None:
    """Takes out the classifier, and a dropout directly before it, in place: the model then gives features."""
    if hasattr(model, "reset_classifier"):
        _call(model, "reset_classifier", 0)
        return
    leaves = [name for name, module in model.named_modules() if not list(module.children())]
    last = _last_layer(model)
    at = next(i for i, name in enumerate(leaves) if model.get_submodule(name) is last)
    model.set_submodule(leaves[at], nn.Identity())
    if at and isinstance(model.get_submodule(leaves[at - 1]), nn.Dropout):
        model.set_submodule(leaves[at - 1], nn.Identity())


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Runs the block under this seed and puts the global generator (CPU) back afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def _call(model: Any, method: str, *arguments: Any) -> Any:
    return getattr(model, method)(*arguments)


def _last_layer(model: nn.Module) -> nn.Module:
    """The last linear layer; for a fully convolutional classifier (SqueezeNet) the last convolution."""
    found = classifier(model)
    if found is not None:
        return found
    return next(m for m in reversed(list(model.modules())) if isinstance(m, nn.Conv2d))


def _build_torchvision(name: str, seed: int, pretrained: bool) -> nn.Module:
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


def _build_timm(name: str, seed: int, pretrained: bool) -> nn.Module:
    import timm

    for extra in ANY_SIZE:
        try:
            with seeded(seed):
                return timm.create_model(name, pretrained=pretrained, **extra)
        except TypeError as error:
            if not extra or "unexpected keyword argument" not in str(error):
                raise
    raise AssertionError("unreachable: the last try has no extra arguments")


def _in_torchvision(name: str) -> bool:
    return name in _torchvision_names()


def _in_timm(name: str) -> bool:
    import timm

    architecture, _, tag = name.partition(".")
    return bool(timm.is_model(architecture)) and (not tag or name in _tagged_names(architecture))


def _tagged_names(architecture: str) -> list[str]:
    import timm

    return list(timm.list_pretrained(f"{architecture}.*"))


def _torchvision_names() -> list[str]:
    import torchvision

    return list(torchvision.models.list_models(module=torchvision.models))


def _nearest(name: str, names: list[str], count: int = 3) -> list[str]:
    """Returns the names that go on where this one stops, shortest first; without any, the most alike."""
    longer = sorted(
        (other for other in set(names) if other.startswith(name)), key=lambda other: (len(other), other)
    )
    return longer[:count] or difflib.get_close_matches(name, sorted(set(names)), n=count, cutoff=0.5)


def _all_names(library: str) -> list[str]:
    import timm

    return [
        *(_torchvision_names() if library != "timm" else []),
        *(timm.list_models() if library != "torchvision" else []),
    ]
