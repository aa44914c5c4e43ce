"""What a user's optimizer and loss are, as a recipe declares them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from plateau_cause.config.recipe import Recipe, put
from plateau_cause.errors import PlateauError
from plateau_cause.lab import build, optimizers
from plateau_cause.lab.arm import Arm
from plateau_cause.lab.laboratory import Laboratory
from plateau_cause.training import losses, optimizer
from plateau_cause.training.outputs import forward
from plateau_cause.training.user_code import call, place

SAMPLE = 16  # images shown to the user's model to see what it puts out
ON_PROBABILITIES = "cross_entropy on probabilities"  # Keras's crossentropy with from_logits=False


def optimizer_read(lab: Laboratory, network: nn.Module, head: list[nn.Parameter]) -> dict[str, Any]:
    """Returns what `recipe.optimizer` would say of the user's optimizer."""
    built = optimizers.user_optimizer(lab, network)
    held = optimizer.moved(built)
    trainable = [p for p in network.parameters() if p.requires_grad]
    in_head = [p for p in head if p.requires_grad]
    share = share_held(trainable, in_head, held)
    words = {"all": "trainable", "head": "trainable" if len(in_head) == len(trainable) else "head"}
    found = {f"optimizer.{key}": value for key, value in optimizer.describe(built).items()}
    return {**found, "optimizer.parameters": words.get(share, share)}


def loss_name(lab: Laboratory, arm: Arm) -> str:
    """Returns the loss that the user's function equals on random outputs, or what it does instead."""
    generator = torch.Generator().manual_seed(0)
    outputs = torch.randn(32, lab.num_classes, generator=generator, device="cpu") * 3
    targets = torch.randint(lab.num_classes, (32,), generator=generator)
    try:
        value = _number(lab, call(lab.code.loss, outputs, targets))  # type: ignore[arg-type]
    except PlateauError:
        if "model" not in arm.own:
            raise
        _try_loss(lab, arm)  # it is made for what this network gives, and for nothing else
        return "as in your file"
    known = {
        name: losses.build(replace(Recipe().loss, name=name))
        for name in ("cross_entropy", "nll", "bce", "mse")
    }
    for name, function in known.items():
        if abs(float(function(outputs, targets)) - value) < 1e-4 * max(1.0, abs(value)):
            return name
    twice = float(known["cross_entropy"](outputs.softmax(1), targets))
    if abs(twice - value) < 1e-4:
        return "cross_entropy after softmax"
    right, seen = float(known["cross_entropy"](outputs, targets)), outputs.softmax(1)
    is_on_probabilities = abs(float(call(lab.code.loss, seen, targets)) - right) < 1e-3  # type: ignore[arg-type]
    return ON_PROBABILITIES if is_on_probabilities else "as in your file"


def _try_loss(lab: Laboratory, arm: Arm) -> None:
    """Calls the user's loss with what the user's network gives in training.

    Raises:
        PlateauError: it raised, or gives no number.
    """
    network, seen = build.seen_network(lab, arm)
    assert seen is not None
    images = seen.fit(build.sample(lab, arm, SAMPLE))
    targets = lab.targets[torch.from_numpy(lab.subsets["all"][: len(images)])].cpu()
    assert lab.code.loss is not None
    _number(lab, losses.own(lab.code.loss)(forward(network.train(), images), targets))


def _number(lab: Laboratory, given: Any) -> float:
    if not isinstance(given, torch.Tensor) or given.numel() != 1:
        shape = tuple(given.shape) if isinstance(given, torch.Tensor) else type(given).__name__
        raise PlateauError(
            f"recipe.code: {place('loss', lab.code.loss)} must give one number as a tensor, not {shape}"
        )
    return float(given.detach())


def with_loss(arm: Arm, name: str) -> Recipe:
    """Returns the recipe with the loss that the user's function is.

    A softmax in the model and the logarithm of its outputs in the loss are cross-entropy on logits in two
    pieces: as the right way to write it in Keras, it is no difference, neither of the head nor of the loss.
    """
    values: dict[str, Any] = {"loss.name": name, "loss.label_smoothing": 0.0}
    if name == ON_PROBABILITIES and "activation" in arm.own and arm.recipe.head.activation == "softmax":
        values |= {"loss.name": "cross_entropy", "head.activation": None}
    return put(arm.recipe, values)


def share_held(
    parameters: Iterable[nn.Parameter], head: list[nn.Parameter], chosen: list[nn.Parameter]
) -> str:
    """Returns which of the parameters are chosen, in the words of `recipe.trainable`."""
    in_head, picked = {id(p) for p in head}, {id(p) for p in chosen}
    sizes = {"head": [0, 0], "body": [0, 0]}
    for parameter in parameters:
        part = sizes["head" if id(parameter) in in_head else "body"]
        part[0] += parameter.numel()
        part[1] += parameter.numel() if id(parameter) in picked else 0
    body, whole_head = sizes["body"], sizes["head"]
    if body[1] == 0:
        return "head" if whole_head[1] else "none"
    if body[1] >= 0.99 * body[0]:
        return "all" if whole_head[1] else "backbone"
    return "part"
