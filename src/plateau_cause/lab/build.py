"""From an arm to a task: network, inputs, loss and optimiser, declared or the user's, edited where asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from plateau_cause.backbones import load_matching
from plateau_cause.backbones.comparison import match
from plateau_cause.errors import PlateauError
from plateau_cause.features.probes import linear_probe
from plateau_cause.lab.arm import Arm
from plateau_cause.runtime import seed_everything
from plateau_cause.training import keras_model, losses, model, optimizer
from plateau_cause.training.inputs import CachedInputs, Inputs, PixelInputs, TransformInputs
from plateau_cause.training.loop import EVALUATION_BATCH, Rows, Task
from plateau_cause.training.user_code import call

if TYPE_CHECKING:
    from plateau_cause.lab.laboratory import Laboratory

# A training step costs one forward pass and about two more for the gradients that flow.
BACKWARD_COST = 2.0
UNIT_PX = 64  # costs are told in images of this size


def task(lab: Laboratory, arm: Arm, name: str = "train") -> Task:
    """Returns the arm's task, ready to train.

    Raises:
        PlateauError: the user's code failed or gives something that cannot be trained.
    """
    seed_everything(arm.seed)
    net = network(lab, arm)
    head = head_of(lab, arm, net)
    if "trainable" not in arm.own:
        model.set_trainable(net, arm.recipe.trainable, head)
    net.to(device=lab.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    read = inputs(lab, arm)
    if arm.recipe.head.initialization == "linear_probe":
        _solve_head(lab, arm, net, read)
    return Task(
        model=net,
        inputs=_cache_prefix(lab, arm, net, read),
        targets=lab.targets,
        rows=lab.rows(arm),
        recipe=arm.recipe,
        seed=arm.seed,
        loss=_loss(lab, arm),
        optimizer=_optimizer(lab, arm, net, head),
        blocks=model.blocks(net),
        enter_training=mode_setter(lab, arm, net),
        num_classes=lab.num_classes,
        name=name,
    )


def cost(lab: Laboratory, arm: Arm) -> float:
    """Returns what training the arm takes, in forward passes of the whole network over one image of 64 px.

    Known before it runs, and the same on every machine: what is affordable must not depend on the clock.
    """
    area = (arm.recipe.preprocessing.size / UNIT_PX) ** 2
    passes = arm.recipe.schedule.epochs * len(lab.subsets[arm.images]) * area
    moving = "batch_norm" in arm.own and arm.recipe.batch_norm != "frozen"
    has_prefix = "model" not in arm.own and arm.recipe.augmentation == "none" and not moving
    if has_prefix and arm.recipe.trainable in ("none", "head"):
        return 0.0
    if has_prefix and arm.recipe.trainable == "last_block":
        return passes * (1.0 + BACKWARD_COST) / len(lab.backbone(arm.weights).stages)
    return passes * (1.0 if arm.recipe.trainable in ("none", "head") else 1.0 + BACKWARD_COST)


def network(lab: Laboratory, arm: Arm) -> nn.Module:
    """Returns the arm's untrained network: the declared one, or the user's, edited where it is not its own.

    Raises:
        PlateauError: build_model() failed or gives no module.
    """
    if "model" not in arm.own:
        return model.Classifier(lab.backbone(arm.weights), lab.num_classes, arm.recipe.head)
    assert lab.code.build_model is not None
    keras_model.forget_names()
    network: Any = keras_model.adapted(call(lab.code.build_model, lab.num_classes))
    if not isinstance(network, nn.Module):
        raise PlateauError(
            f"recipe.code: build_model() must give a torch.nn.Module, not {type(network).__name__}"
        )
    if "weights" not in arm.own:
        load_matching(network, lab.backbone(arm.weights))
    if "dropout" not in arm.own:
        model.set_dropout(network, arm.recipe.head.dropout)
    linear = model.final_linear(network, lab.num_classes)
    if "activation" in arm.own or linear is None:  # without such a layer nothing can be cut off
        return network
    return model.FinalLinear(network, linear)


def user_optimizer(lab: Laboratory, network: nn.Module) -> torch.optim.Optimizer:
    """Returns what the user's optimizer() gives for this network.

    Raises:
        PlateauError: it failed or gives no optimiser.
    """
    assert lab.code.optimizer is not None
    built = call(lab.code.optimizer, model.as_given(network))
    if not isinstance(built, torch.optim.Optimizer):
        given = type(built).__name__
        raise PlateauError(f"recipe.code: optimizer() must give a torch.optim.Optimizer, not {given}")
    return built


def head_of(lab: Laboratory, arm: Arm, network: nn.Module) -> list[nn.Parameter]:
    """Returns the head's parameters: in a user's model, those without counterpart in the backbone."""
    if "model" not in arm.own:
        return model.head_parameters(network, lab.num_classes)
    inner = model.unwrapped(network)
    body = set(match(inner.state_dict(), lab.backbone()).values())
    outside = [parameter for name, parameter in inner.named_parameters() if name not in body]
    return outside if body and outside else model.head_parameters(network, lab.num_classes)


def inputs(lab: Laboratory, arm: Arm) -> Inputs:
    """Returns what the arm's network reads."""
    if "transform" in arm.own:
        assert lab.code.transform is not None
        return TransformInputs(lab.dataset.store, lab.code.transform, "augmentation" in arm.own, lab.device)
    preprocessing = arm.recipe.preprocessing
    return PixelInputs(lab.images(preprocessing), preprocessing, arm.recipe.augmentation, lab.device)


def _solve_head(lab: Laboratory, arm: Arm, network: nn.Module, inputs: Inputs) -> None:
    """Puts the linear probe's solution into the last linear layer (LP-FT, Kumar et al. 2022)."""
    linear = model.final_linear(network, lab.num_classes)
    if linear is None:
        raise PlateauError(
            "recipe.head.initialization: linear_probe needs a linear layer with an output per class"
        )
    rows = lab.rows(arm)
    if isinstance(network, model.Classifier) and "transform" not in arm.own:
        features = lab.features(arm.recipe.preprocessing, arm.weights)
    else:
        features = _penultimate(network.to(lab.device), linear, inputs, rows, len(lab.dataset.manifest))
    probe = linear_probe(features, lab.dataset.targets, rows.train, rows.val, lab.num_classes)
    with torch.no_grad():
        linear.weight.copy_(torch.from_numpy(probe.weight))
        linear.bias.copy_(torch.from_numpy(probe.bias))


@torch.inference_mode()
def _penultimate(network: nn.Module, linear: nn.Linear, inputs: Inputs, rows: Rows, n: int) -> np.ndarray:
    """Returns what the last linear layer reads (N, D); rows that no split needs stay zero."""
    seen: list[torch.Tensor] = []
    handle = linear.register_forward_pre_hook(lambda _m, arguments: seen.append(arguments[0].float().cpu()))
    features = np.zeros((n, linear.in_features), np.float32)
    network.eval()
    try:
        for batch in torch.from_numpy(np.concatenate([rows.train, rows.val])).split(EVALUATION_BATCH):
            network(inputs.evaluation(batch))
            features[batch.numpy()] = seen.pop().numpy()
    finally:
        handle.remove()
    return features


def _cache_prefix(lab: Laboratory, arm: Arm, network: nn.Module, inputs: Inputs) -> Inputs:
    """Replaces images by the frozen prefix's outputs where that changes nothing."""
    fixed = inputs.is_fixed if isinstance(inputs, TransformInputs) else arm.recipe.augmentation == "none"
    # A callback of the user's may leave frozen batch norms in training mode: then no prefix stands still.
    moving = "batch_norm" in arm.own and arm.recipe.batch_norm != "frozen"
    if not (isinstance(network, model.Classifier) and fixed) or moving:
        return inputs
    depth = _frozen_depth(network)
    if depth == len(network.stages) and isinstance(inputs, PixelInputs):
        activations = torch.from_numpy(lab.features(arm.recipe.preprocessing, arm.weights))
    elif depth >= len(network.stages) - 1:
        activations = _activations(network.stages[:depth], inputs, len(lab.dataset.manifest))
    else:
        return inputs
    network.entry = depth
    return CachedInputs(activations.to(lab.device))


def _frozen_depth(network: model.Classifier) -> int:
    frozen = [not any(p.requires_grad for p in stage.parameters()) for stage in network.stages]
    return frozen.index(False) if False in frozen else len(frozen)


@torch.inference_mode()
def _activations(prefix: nn.Module, inputs: Inputs, n: int) -> torch.Tensor:
    prefix.eval()
    return torch.cat(
        [prefix(inputs.evaluation(batch)).cpu() for batch in torch.arange(n).split(EVALUATION_BATCH)]
    )


def _loss(lab: Laboratory, arm: Arm) -> losses.LossFunction:
    if "loss" not in arm.own:
        return losses.build(arm.recipe.loss)
    user_loss = lab.code.loss
    assert user_loss is not None
    return lambda output, target: call(user_loss, output, target)


def _optimizer(
    lab: Laboratory, arm: Arm, network: nn.Module, head: list[nn.Parameter]
) -> torch.optim.Optimizer | None:
    declared = arm.recipe.optimizer
    holding = optimizer.held(declared.parameters, network, head)
    if "optimizer" not in arm.own:
        return optimizer.build(declared, holding)
    built = user_optimizer(lab, network)
    if "parameters" not in arm.own:
        optimizer.add_missing(built, holding)
    if "learning_rate" not in arm.own:
        optimizer.rescale_learning_rate(built, declared.learning_rate)
    if "weight_decay" not in arm.own:
        optimizer.set_weight_decay(built, declared.weight_decay)
    return built


def mode_setter(lab: Laboratory, arm: Arm, network: nn.Module) -> Callable[[], None]:
    """Returns what is called after `model.train()` at the start of each epoch."""
    own = "batch_norm" in arm.own
    callback = lab.code.on_train_start if own else None

    def enter() -> None:
        model.set_modes(network, arm.recipe, own and (callback is not None or "model" in arm.own))
        if callback is not None:
            call(callback, model.as_given(network))

    return enter
