"""From an arm to a task: network, inputs, loss and optimiser, declared or the user's, edited where asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from plateau_cause.backbones.comparison import load_matching, match
from plateau_cause.errors import PlateauError
from plateau_cause.images.preprocessing import resize_all
from plateau_cause.lab import optimizers, prefix, probe_head
from plateau_cause.lab.arm import MODEL_PIECES, OTHER_WEIGHTS, OWN_PIECES, Arm
from plateau_cause.lab.look import Look, look, trains_on_one
from plateau_cause.runtime import seed_everything
from plateau_cause.training import keras_model, losses, model
from plateau_cause.training.inputs import ApartInputs, FittedInputs, Inputs, PixelInputs
from plateau_cause.training.task import Rows, Task
from plateau_cause.training.transform_inputs import TransformInputs
from plateau_cause.training.user_code import call, place

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
    read = inputs(lab, arm)
    seed_everything(arm.seed)  # the head is what `torch.manual_seed(seed)` and the network's lines give
    net, seen = seen_network(lab, arm)
    head = head_of(lab, arm, net, seen)
    if "trainable" not in arm.own:
        model.set_trainable(net, arm.recipe.trainable, head)
    net.to(device=lab.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    read = fitted(read, seen)
    if arm.recipe.head.initialization == "linear_probe":
        linear = model.final_linear(net, lab.num_classes) if seen is None else seen.linear
        probe_head.solve(lab, arm, net, read, linear)
    moving = optimizers.build(lab, arm, net, head)
    read, enter, rows = prefix.cached(lab, arm, net, read, moving), mode_setter(lab, arm, net), lab.rows(arm)
    return Task(
        model=net,
        inputs=read,
        targets=lab.targets,
        rows=rows,
        recipe=arm.recipe,
        seed=arm.seed,
        loss=_loss(lab, arm),
        optimizer=moving,
        blocks=model.blocks(net),
        enter_training=enter,
        num_classes=lab.num_classes,
        name=name,
        is_own=bool(arm.own),
        clears="clearing" not in arm.own,
        smallest_batch=_smallest_batch(arm, net, read, rows, enter),
    )


def _smallest_batch(arm: Arm, network: nn.Module, read: Inputs, rows: Rows, enter: Callable[[], None]) -> int:
    """Returns 2 where an epoch would end in a single image that the network cannot train on, else 1."""
    if len(rows.train) % arm.recipe.batch_size != 1 or len(rows.train) == 1:
        return 1
    return 1 if trains_on_one(network, enter, read.evaluation(torch.from_numpy(rows.train[:1]))) else 2


def cost(lab: Laboratory, arm: Arm) -> float:
    """Returns what training the arm takes, in forward passes of the whole network over one image of 64 px.

    Known before it runs, and the same on every machine: what is affordable must not depend on the clock.
    """
    area = (arm.recipe.preprocessing.size / UNIT_PX) ** 2
    passes = arm.recipe.schedule.epochs * len(lab.subsets[arm.images]) * area
    moving = prefix.statistics_move(arm)
    has_prefix = "model" not in arm.own and arm.recipe.augmentation == "none" and not moving
    if has_prefix and arm.recipe.trainable in ("none", "head"):
        return 0.0
    if has_prefix and arm.recipe.trainable == "last_block":
        return passes * (1.0 + BACKWARD_COST) / len(lab.backbone(arm.weights).stages)
    return passes * (1.0 if arm.recipe.trainable in ("none", "head") else 1.0 + BACKWARD_COST)


def network(lab: Laboratory, arm: Arm) -> nn.Module:
    """Returns the arm's untrained network: the declared one, or the user's, edited where it is not its own.

    Raises:
        PlateauError: build_model() failed or gives no network for these images and classes.
    """
    return seen_network(lab, arm)[0]


def seen_network(lab: Laboratory, arm: Arm) -> tuple[nn.Module, Look | None]:
    """Returns the arm's untrained network, and what a look at a user's network saw: None for the declared.

    Raises:
        PlateauError: build_model() failed or gives no network for these images and classes.
    """
    if "model" not in arm.own:
        return model.Classifier(lab.backbone(arm.weights), lab.num_classes, arm.recipe.head), None
    assert lab.code.build_model is not None
    keras_model.forget_names()
    network: Any = keras_model.adapted(call(lab.code.build_model, lab.num_classes))
    if not isinstance(network, nn.Module):
        raise PlateauError(
            f"recipe.code: {place('build_model', lab.code.build_model)} must give a torch.nn.Module, "
            f"not {type(network).__name__}"
        )
    if "weights" not in arm.own:
        load_matching(network, lab.backbone(arm.weights))
    if "dropout" not in arm.own:
        model.set_dropout(network, arm.recipe.head.dropout)
    seen = look(network, sample(lab, arm), lab.num_classes, lab.code.build_model)
    if "activation" in arm.own or seen.linear is None:  # without such a layer nothing can be cut off
        return network, seen
    return model.FinalLinear(network, seen.linear), seen


def with_declared_network(lab: Laboratory, arm: Arm) -> Arm:
    """Returns the arm with the declared backbone and a plain head in the place of the user's network.

    Its recipe, which says in words what the network does (frozen layers, dropout, activation), stays, and
    so do the user's other functions; those that cannot handle the declared network are replaced by what they
    were seen to do.
    """
    weights = lab.weights if arm.weights == OTHER_WEIGHTS else arm.weights
    plain = replace(arm, own=arm.own - MODEL_PIECES, weights=weights)
    network = model.Classifier(lab.backbone(weights), lab.num_classes, arm.recipe.head)
    own = plain.own
    if "optimizer" in own and not optimizers.can_hold(lab, network):
        own -= set(OWN_PIECES["optimizer"])
    if "batch_norm" in own and not _can_enter(lab, plain, network):
        own -= {"batch_norm"}
    return replace(plain, own=own)


def _can_enter(lab: Laboratory, arm: Arm, network: nn.Module) -> bool:
    """Returns whether the user's on_train_start(), if there is one, takes the network."""
    if lab.code.on_train_start is None:  # the modes were those of the user's network
        return False
    try:
        mode_setter(lab, arm, network)()
    except PlateauError:
        return False
    return True


def fitted(read: Inputs, seen: Look | None) -> Inputs:
    """Returns the inputs with as many channels as the network reads: 3 for the declared one."""
    if seen is None:
        return FittedInputs(read, 3) if isinstance(read, TransformInputs) else read
    return read if seen.channels is None else FittedInputs(read, seen.channels)


def sample(lab: Laboratory, arm: Arm, count: int = 2) -> torch.Tensor:
    """Returns the first training images as the arm evaluates them (count, C, H, W), on the CPU."""
    rows, cpu = lab.subsets["all"][:count], torch.device("cpu")
    if "transform" in arm.own:
        assert lab.code.transform is not None
        few = TransformInputs(lab.dataset.store, lab.code.transform, False, cpu)
        return few.evaluation(torch.from_numpy(rows))
    preprocessing = arm.recipe.preprocessing
    images = resize_all(lab.dataset.store, rows, preprocessing)
    return PixelInputs(images, preprocessing, "none", cpu).evaluation(torch.arange(len(rows)))


def head_of(lab: Laboratory, arm: Arm, network: nn.Module, seen: Look | None) -> list[nn.Parameter]:
    """Returns the head's parameters: in a user's model, those without counterpart in the backbone."""
    if seen is None:
        return model.head_parameters(network, lab.num_classes)
    inner = model.unwrapped(network)
    body = set(match(inner.state_dict(), lab.backbone()).values())
    outside = [parameter for name, parameter in inner.named_parameters() if name not in body]
    if body and outside:
        return outside
    known = None if seen.linear is None else list(seen.linear.parameters())
    return known or model.head_parameters(network, lab.num_classes)


def inputs(lab: Laboratory, arm: Arm) -> Inputs:
    """Returns what the arm's network reads; what the user's file does in evaluation alone, by itself too."""
    preprocessing, is_apart = arm.recipe.preprocessing, "evaluation" in arm.own
    if "transform" in arm.own:
        return _transformed(lab, "augmentation" in arm.own, is_apart)
    declared = PixelInputs(lab.images(preprocessing), preprocessing, arm.recipe.augmentation, lab.device)
    return ApartInputs(declared, _transformed(lab, False, True)) if is_apart else declared


def _transformed(lab: Laboratory, is_augmented: bool, is_apart: bool) -> TransformInputs:
    assert lab.code.transform is not None
    return TransformInputs(
        lab.dataset.store, lab.code.transform, is_augmented, lab.device, is_apart, lab.sides_differ
    )


def _loss(lab: Laboratory, arm: Arm) -> losses.LossFunction:
    if "loss" not in arm.own:
        return losses.build(arm.recipe.loss)
    assert lab.code.loss is not None
    return losses.own(lab.code.loss)


def mode_setter(lab: Laboratory, arm: Arm, network: nn.Module) -> Callable[[], None]:
    """Returns what is called after `model.train()` at the start of each epoch."""
    own = "batch_norm" in arm.own
    callback = lab.code.on_train_start if own else None

    def enter() -> None:
        model.set_modes(network, arm.recipe, own and (callback is not None or "model" in arm.own))
        if callback is not None:
            call(callback, model.as_given(network))

    return enter
