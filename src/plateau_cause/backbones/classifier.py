"""Where a library's model has its classifier: the layer between features and outputs per class."""

from __future__ import annotations

from typing import Any

from torch import nn


def classifier(model: nn.Module) -> nn.Linear | None:
    """Returns the layer that turns features into outputs per class; None where it is not one linear layer."""
    head = _call(model, "get_classifier") if hasattr(model, "get_classifier") else _last_layer(model)
    return head if isinstance(head, nn.Linear) else None


def head_names(model: nn.Module) -> frozenset[str]:
    """Returns the names of the state entries that belong to the classifier (or classifiers)."""
    head = _call(model, "get_classifier") if hasattr(model, "get_classifier") else _last_layer(model)
    heads = head if isinstance(head, tuple | list) else (head,)
    own = {id(tensor) for h in heads if h is not None for tensor in h.state_dict(keep_vars=True).values()}
    return frozenset(name for name, tensor in model.state_dict(keep_vars=True).items() if id(tensor) in own)


def remove_classifier(model: nn.Module) -> None:
    """Takes out the classifier, and a dropout directly before it, in place: the model then gives features."""
    if hasattr(model, "reset_classifier"):
        _call(model, "reset_classifier", 0)
        return
    last = _last_layer(model)
    if last is None:
        return
    leaves = [name for name, module in model.named_modules() if not list(module.children())]
    at = next(i for i, name in enumerate(leaves) if model.get_submodule(name) is last)
    model.set_submodule(leaves[at], nn.Identity())
    if at and isinstance(model.get_submodule(leaves[at - 1]), nn.Dropout):
        model.set_submodule(leaves[at - 1], nn.Identity())


def _call(model: Any, method: str, *arguments: Any) -> Any:
    return getattr(model, method)(*arguments)


def _last_layer(model: nn.Module) -> nn.Module | None:
    """The last layer with weights where it is linear; None where it is not: such a model gives features.

    torchvision's SqueezeNet is fully convolutional: there it is the last convolution.
    """
    last = [module for module in model.modules() if list(module.parameters(recurse=False))][-1]
    is_convolution = isinstance(last, nn.Conv2d) and type(model).__module__.startswith("torchvision.")
    return last if isinstance(last, nn.Linear) or is_convolution else None
