"""The network of an arm: backbone stages and a head, or the user's module, edited where asked."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from plateau_cause.backbones.types import Backbone
from plateau_cause.config.recipe import Head, Recipe
from plateau_cause.training.keras_model import KerasModule

BATCH_NORMS = (nn.modules.batchnorm._BatchNorm,)
DROPOUTS = (nn.modules.dropout._DropoutNd,)
TRAIN_FROZEN_TOO = "train, in frozen layers too"  # what `batch_norm` is where plain `model.train()` decides


class Classifier(nn.Module):
    """Backbone stages, then dropout, one linear layer and the recipe's activation.

    Attributes:
        entry: the stage that reads the input; above 0 the input is the cached output of the stage before.
    """

    def __init__(self, backbone: Backbone, num_classes: int, head: Head) -> None:
        super().__init__()
        self.entry = 0
        self.stages = copy.deepcopy(backbone.stages)
        self.head = nn.Sequential(
            nn.Dropout(head.dropout),
            nn.Linear(backbone.feature_dim, num_classes),
            activation(head.activation),
        )

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Returns outputs (B, C); `inputs` are what stage `entry` reads: images (B, 3, S, S) for 0."""
        for stage in list(self.stages)[self.entry :]:
            inputs = stage(inputs)
        return self.head(inputs)  # type: ignore[no-any-return]


class FinalLinear(nn.Module):
    """The user's module without what follows its last linear layer (softmax, ReLU): returns the logits."""

    def __init__(self, module: nn.Module, linear: nn.Linear) -> None:
        super().__init__()
        self.module = module
        self._captured: list[torch.Tensor] = []
        linear.register_forward_hook(lambda _m, _i, output: self._captured.append(output))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Returns logits (B, C)."""
        self._captured.clear()
        self.module(inputs)
        return self._captured.pop()


def unwrapped(model: nn.Module) -> nn.Module:
    """Returns the user's own module, a Keras model as its KerasModule."""
    return model.module if isinstance(model, FinalLinear) else model


def as_given(model: nn.Module) -> Any:
    """Returns what the user's build_model() gave, as the user's other functions expect it."""
    inner = unwrapped(model)
    return inner.keras if isinstance(inner, KerasModule) else inner


def activation(name: str | None) -> nn.Module:
    """Returns the module for `head.activation`."""
    return {None: nn.Identity(), "softmax": nn.Softmax(dim=1), "relu": nn.ReLU()}[name]


def final_linear(model: nn.Module, num_classes: int) -> nn.Linear | None:
    """Returns the last linear layer with one output per class, in order of definition, or None."""
    layers = [m for m in model.modules() if isinstance(m, nn.Linear) and m.out_features == num_classes]
    return layers[-1] if layers else None


def blocks(model: nn.Module) -> list[tuple[str, list[nn.Parameter]]]:
    """Returns the model's parameters as named blocks from input to output; each parameter appears once."""
    if isinstance(model, Classifier):
        named = [*model.stages.named_children(), ("head", model.head)]
        return [(name, list(block.parameters())) for name, block in named if _has_parameters(block)]
    inner = unwrapped(model)
    return inner.blocks() if isinstance(inner, KerasModule) else _own_blocks(inner)


def set_trainable(model: nn.Module, which: str, head: Iterable[nn.Parameter]) -> None:
    """Freezes and unfreezes parameters in place: none | head | backbone (all but it) | last_block | all.

    What a user's file moves beside these ("part") has no counterpart in another network: the head alone.
    """
    in_head = {id(parameter) for parameter in head}
    kept = set(in_head)
    if which == "last_block":
        body = [group for _, group in blocks(model) if not kept.issuperset(map(id, group))]
        kept |= {id(parameter) for parameter in body[-1]} if body else set()
    for parameter in model.parameters():
        moves = {"all": True, "none": False, "backbone": id(parameter) not in in_head}
        parameter.requires_grad_(moves.get(which, id(parameter) in kept))


def head_parameters(model: nn.Module, num_classes: int) -> list[nn.Parameter]:
    """Returns the parameters of the head: the last linear layer where nothing else is known."""
    if isinstance(model, Classifier):
        return list(model.head.parameters())
    linear = final_linear(model, num_classes)
    return blocks(model)[-1][1] if linear is None else list(linear.parameters())


def set_modes(model: nn.Module, recipe: Recipe, own_batch_norm: bool) -> None:
    """Keeps frozen layers, and batch norm that the recipe freezes, in eval mode while the rest trains."""
    if own_batch_norm or recipe.batch_norm == TRAIN_FROZEN_TOO:
        return
    for module in model.modules():  # not the leaves alone: timm's batch norm holds its activation
        frozen = not any(p.requires_grad for p in module.parameters()) and _has_parameters(module)
        if isinstance(module, BATCH_NORMS) and (frozen or recipe.batch_norm == "frozen"):
            module.eval()
    if isinstance(model, Classifier):
        for stage in model.stages:
            if _has_parameters(stage) and not any(p.requires_grad for p in stage.parameters()):
                stage.eval()


def set_dropout(model: nn.Module, probability: float) -> None:
    """Sets every dropout layer of the model in place; whole layers are dropped no more often than that."""
    for module, name in _droppers(model):
        present = float(getattr(module, name))
        setattr(module, name, probability if isinstance(module, DROPOUTS) else min(present, probability))


def dropout(model: nn.Module) -> float:
    """Returns the largest probability with which the model drops features or, as stochastic depth, layers."""
    return max((float(getattr(module, name)) for module, name in _droppers(model)), default=0.0)


def _droppers(model: nn.Module) -> list[tuple[nn.Module, str]]:
    """Returns each module that drops something, and where it keeps the probability.

    Stochastic depth has a class of its own in torchvision, timm and transformers, never a common one.
    """
    found: list[tuple[nn.Module, str]] = []
    for module in model.modules():
        kind = type(module).__name__
        if isinstance(module, DROPOUTS) or kind == "StochasticDepth":
            found.append((module, "p"))
        elif "DropPath" in kind and isinstance(getattr(module, "drop_prob", None), float | int):
            found.append((module, "drop_prob"))
    return found


def reads_gray(model: nn.Module) -> bool:
    """Returns whether the model's first convolution takes one channel."""
    first = next((module for module in model.modules() if isinstance(module, nn.Conv2d)), None)
    return first is not None and first.in_channels == 1


def uses_batch_norm(model: nn.Module) -> bool:
    """Returns whether any batch-norm layer of the model would train."""
    return any(
        isinstance(m, BATCH_NORMS)
        and (not _has_parameters(m) or any(p.requires_grad for p in m.parameters()))
        for m in model.modules()
    )


def _has_parameters(module: nn.Module) -> bool:
    return next(module.parameters(), None) is not None


def _own_blocks(model: nn.Module, most: int = 16) -> list[tuple[str, list[nn.Parameter]]]:
    """Splits a user's module along its children, opening the largest, until there are enough blocks."""
    named = [(name, child) for name, child in model.named_children() if _has_parameters(child)]
    while len(named) < most:
        sizes = [
            sum(p.numel() for p in child.parameters()) if list(child.children()) else 0 for _, child in named
        ]
        if not sizes or not max(sizes):
            break
        largest = sizes.index(max(sizes))
        name, child = named[largest]
        inner = [(f"{name}.{n}", c) for n, c in child.named_children() if _has_parameters(c)]
        own = list(child.parameters(recurse=False))
        if own or len(inner) + len(named) > most + 4:
            break
        named[largest : largest + 1] = inner
    return _without_repeats([*named, ("model", model)])


def _without_repeats(named: list[tuple[str, nn.Module]]) -> list[tuple[str, list[nn.Parameter]]]:
    """Returns each parameter once, in the first module that has it; modules left empty are dropped."""
    seen: set[int] = set()
    result = []
    for name, module in named:
        own = [parameter for parameter in module.parameters() if id(parameter) not in seen]
        seen.update(map(id, own))
        result += [(name, own)] if own else []
    return result
