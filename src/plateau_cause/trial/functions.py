"""The user's own functions, each called as training will call it, on two images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from plateau_cause.errors import PlateauError
from plateau_cause.training import keras_model
from plateau_cause.training.optimizer import steps_alone
from plateau_cause.training.outputs import scores
from plateau_cause.training.transforms import as_tensor
from plateau_cause.training.user_code import call

CHANNELS = 3


def transformed(
    transform: Callable[..., Any], images: Sequence[Image.Image], own_model: bool
) -> torch.Tensor:
    """Returns what the transform makes of images in training (B, C, H, W); both ways are tried.

    Args:
        transform: of the user's file.
        images: RGB.
        own_model: whether the network is the user's too: then it may read other than three channels.

    Raises:
        PlateauError: it fails, or gives what no network reads; the line says what to change.
    """
    batches = {}
    for train in (False, True):
        tensors = [_one(transform, image, train, own_model) for image in images]
        shapes = sorted({tuple(tensor.shape) for tensor in tensors})
        if len(shapes) > 1:
            raise PlateauError(
                f"recipe.code: transform(){place(transform)} gives tensors of different shapes for different "
                f"images, such as {shapes[0]} and {shapes[1]}; a batch needs one: resize height and width"
            )
        batches[train] = torch.stack(tensors)
    return batches[True]


def _one(transform: Callable[..., Any], image: Image.Image, train: bool, own_model: bool) -> torch.Tensor:
    given = call(transform, image.copy(), train)
    if isinstance(given, Image.Image):
        raise PlateauError(
            f"recipe.code: transform(){place(transform)} gives a PIL image; allowed: a tensor (3, H, W), as "
            "torchvision's ToTensor() gives"
        )
    where = place(transform)
    try:
        tensor = as_tensor(given)
    except TypeError as error:  # an array of what torch has no numbers for
        raise PlateauError(f"recipe.code: transform(){where}: {error}") from None
    shape = tuple(tensor.shape)
    if shape[0] not in (1, CHANNELS) and shape[-1] in (1, CHANNELS):
        raise PlateauError(
            f"recipe.code: transform(){where} gives {shape}, channels last; allowed: (3, H, W), as "
            "tensor.permute(2, 0, 1) gives"
        )
    if shape[0] != CHANNELS and not own_model:
        raise PlateauError(
            f"recipe.code: transform(){where} gives {shape}; allowed: (3, H, W), which the backbone reads"
        )
    if not tensor.isfinite().all():
        raise PlateauError(
            f"recipe.code: transform(){where} gives NaN or infinite numbers with train={train}"
        )
    return tensor


def built(build_model: Callable[..., Any], num_classes: int) -> nn.Module:
    """Returns the user's network.

    Raises:
        PlateauError: build_model() fails or gives no network.
    """
    keras_model.forget_names()
    network: Any = keras_model.adapted(call(build_model, num_classes))
    if not isinstance(network, nn.Module):
        raise PlateauError(
            f"recipe.code: build_model(){place(build_model)} gives {type(network).__name__}; "
            "allowed: a torch.nn.Module"
        )
    if next(network.parameters(), None) is None:
        said = "gives a network without parameters: nothing of it can learn"
        raise PlateauError(f"recipe.code: build_model(){place(build_model)} {said}")
    return network


def outputs(network: nn.Module, batch: torch.Tensor, num_classes: int) -> torch.Tensor:
    """Returns the outputs per class (B, C) of the user's network, in evaluation.

    Raises:
        PlateauError: it does not take such images, or gives no output for each class.
    """
    network.eval()
    with torch.no_grad():
        given = _forward(network, batch)
    found, what = scores(given), "recipe.code: build_model()'s network gives"
    if found is None:
        kind = "nothing" if given is None else f"a {type(given).__name__}"
        raise PlateauError(f"{what} {kind}; allowed: one output per class, (B, C)")
    shape, count = tuple(found.shape), len(batch)
    if found.ndim != 2 or shape[0] != count:
        raise PlateauError(f"{what} {shape} for {count} images; allowed: ({count}, {num_classes})")
    if few := too_few(found, num_classes):
        raise PlateauError(few)
    if not found.isfinite().all():
        raise PlateauError(f"{what} NaN or infinite outputs before it is trained")
    return found


def too_few(scores: torch.Tensor, num_classes: int) -> str:
    """Returns the line for fewer outputs (B, C) than classes, "" where there are enough."""
    if scores.ndim != 2 or scores.shape[1] >= num_classes:
        return ""
    given = f"{scores.shape[1]} output{'' if scores.shape[1] == 1 else 's'}"
    return (
        f"recipe.code: build_model()'s network gives {given} for {num_classes} classes; "
        "allowed: num_classes of them, as build_model(num_classes) is told"
    )


def few_without_transform(network: nn.Module, batch: torch.Tensor, num_classes: int) -> str:
    """Returns the line for too few outputs, where the batch is not the one that the network was made for."""
    try:
        with torch.no_grad():
            found = scores(network.eval()(batch))
    except Exception:  # of another size than it expects: that tells nothing
        return ""
    return "" if found is None else too_few(found, num_classes)


def trained_on(network: nn.Module, batch: torch.Tensor) -> torch.Tensor | None:
    """Returns the outputs (B, C) of a network in training; None where they are not found.

    Raises:
        PlateauError: it fails; one image per step is too few for a batch norm.
    """
    try:
        return scores(_forward(network, batch))
    except PlateauError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise PlateauError(
            f"recipe.batch_size: got {len(batch)}; a batch norm that trains needs several images per step; "
            "allowed: at least 2, or recipe.batch_norm: frozen"
        ) from None


def backward(loss: torch.Tensor) -> None:
    """Computes the gradients.

    Raises:
        PlateauError: that fails.
    """

    def backward() -> None:
        loss.backward()

    call(backward)


def _forward(network: nn.Module, batch: torch.Tensor) -> Any:
    def forward() -> Any:
        return network(batch)

    try:
        return call(forward)
    except PlateauError as error:
        raise PlateauError(f"{error} (images of {tuple(batch.shape[1:])})") from None


def scalar(loss: Callable[..., Any], output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Returns the user's loss of these outputs.

    Raises:
        PlateauError: it fails, or gives no single finite number.
    """
    given = call(loss, output, target)
    where = f"loss(){place(loss)}"
    if not isinstance(given, torch.Tensor):
        raise PlateauError(f"recipe.code: {where} gives {type(given).__name__}; allowed: a scalar tensor")
    if given.numel() != 1:
        raise PlateauError(
            f"recipe.code: {where} gives {tuple(given.shape)}; allowed: a scalar tensor, such as its mean()"
        )
    if not given.isfinite().all():
        raise PlateauError(f"recipe.code: {where} gives {float(given)} before anything is trained")
    return given.reshape(())


def optimizer(make: Callable[..., Any], network: Any) -> torch.optim.Optimizer:
    """Returns the user's optimizer of this network.

    Raises:
        PlateauError: it fails, or gives no optimizer.
    """
    given = call(make, network)
    said = f"recipe.code: optimizer(){place(make)} gives {type(given).__name__}"
    if not isinstance(given, torch.optim.Optimizer):
        raise PlateauError(f"{said}; allowed: a torch.optim.Optimizer")
    if not steps_alone(given):
        raise PlateauError(f"{said}, whose step() needs a closure; allowed: one whose step() takes nothing")
    return given


def pictures(arrays: Sequence[np.ndarray]) -> list[Image.Image]:
    """Returns decoded images (H, W, 3) uint8 as the user's transform gets them."""
    return [Image.fromarray(np.array(array)) for array in arrays]


def place(function: Callable[..., Any]) -> str:
    """Returns " (line 12)" where a function of the user's file begins, "" for an object."""
    code = getattr(function, "__code__", None)
    return f" (line {code.co_firstlineno})" if code is not None else ""
