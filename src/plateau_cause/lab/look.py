"""A look at a user's network: two images go through it, so that what it does is seen before anything long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from plateau_cause.errors import PlateauError
from plateau_cause.training.loop import TOO_FEW_VALUES
from plateau_cause.training.outputs import logits
from plateau_cause.training.transforms import fit_channels
from plateau_cause.training.user_code import explain, place


@dataclass(frozen=True)
class Look:
    """What was seen.

    Attributes:
        channels: how many the network reads, where that is not what it was given; None: as given.
        linear: the last linear layer that was called and has an output per class, or None.
        outputs: what the network gave, as it gave it.
        scores: the scores among it, (2, K), (2, 1) or (2,).
    """

    channels: int | None
    linear: nn.Linear | None
    outputs: Any
    scores: torch.Tensor

    def fit(self, images: torch.Tensor) -> torch.Tensor:
        """Returns images (B, C, H, W) with as many channels as the network reads."""
        return images if self.channels is None else fit_channels(images, self.channels)


@torch.no_grad()
def look(
    network: nn.Module, images: torch.Tensor, num_classes: int, build_model: Callable[..., Any] | None
) -> Look:
    """Returns what the network does with two images, in eval mode; its modes are put back.

    Args:
        network: the user's, on the CPU.
        images: (2, C, H, W); where the network takes gray or colour images alone, they are made so.
        num_classes: of the data.
        build_model: the user's function, for the error's place.

    Raises:
        PlateauError: the network raises, or gives no scores for the classes; one line with name and line.
    """
    called: list[nn.Module] = []
    with _modes_kept(network), ExitStack() as hooks:
        for layer in (m for m in network.modules() if isinstance(m, nn.Linear)):
            handle = layer.register_forward_hook(lambda module, _i, _o: called.append(module))
            hooks.callback(handle.remove)
        network.eval()
        channels, outputs = _passed(network, images, build_model)
    scores = logits(outputs)
    _check(scores, num_classes, build_model)
    ends = [m for m in called if isinstance(m, nn.Linear) and m.out_features == num_classes]
    return Look(channels, ends[-1] if ends else None, outputs, scores)


def unreached(network: nn.Module, images: torch.Tensor) -> tuple[str, ...]:
    """Returns the names of the parameters that no gradient of the scores reaches, frozen ones tried too.

    A layer that forward() never calls, a body under no_grad, what a detach cuts off: none of it can learn.

    Args:
        network: the user's, on the CPU; its modes and frozen parameters are put back.
        images: (B, C, H, W), as many channels as it reads.
    """
    named = {name: p for name, p in network.named_parameters() if p.is_floating_point()}
    frozen = [parameter for parameter in named.values() if not parameter.requires_grad]
    with _modes_kept(network):
        network.eval()
        try:
            for parameter in frozen:
                parameter.requires_grad_(True)
            total = logits(network(images)).sum()
            if not total.requires_grad:
                return tuple(named)
            found = torch.autograd.grad(total, list(named.values()), allow_unused=True)
        finally:
            for parameter in frozen:
                parameter.requires_grad_(False)
    return tuple(name for name, gradient in zip(named, found, strict=True) if gradient is None)


def check_training(network: nn.Module, images: torch.Tensor, build_model: Callable[..., Any] | None) -> None:
    """Shows the network two images in training mode, where it may do other things than in eval mode.

    Raises:
        PlateauError: it raises there; one line with name and line.
    """
    with torch.no_grad(), _untouched(network):
        network.train()
        try:
            network(images)
        except Exception as error:
            raise _failure(error, images, build_model, " in training") from error


@torch.no_grad()
def trains_on_one(network: nn.Module, enter_training: Callable[[], None], image: torch.Tensor) -> bool:
    """Returns whether the network can train on a single image: batch norm wants several values per channel.

    Args:
        network: its modes and buffers are put back.
        enter_training: puts it into the recipe's training mode.
        image: (1, ...), what it reads.
    """
    with _untouched(network):
        network.train()
        enter_training()
        try:
            network(image)
        except ValueError as error:
            return TOO_FEW_VALUES not in str(error)
    return True


def _passed(network: nn.Module, images: torch.Tensor, build_model: Any) -> tuple[int | None, Any]:
    """Returns how many channels the network wants, where not those given, and what it gives."""
    failed: Exception | None = None
    for channels in (None, *_other_channels(network, images)):
        try:
            return channels, network(images if channels is None else fit_channels(images, channels))
        except Exception as error:
            failed = error
    assert failed is not None
    raise _failure(failed, images, build_model) from failed


def _failure(error: Exception, images: torch.Tensor, build_model: Any, when: str = "") -> PlateauError:
    where = f"the network of {place('build_model', build_model)}"
    return PlateauError(f"recipe.code: {where} {explain(error)} (given images {tuple(images.shape)}{when})")


def _other_channels(network: nn.Module, images: torch.Tensor) -> list[int]:
    """Returns how many channels the first convolution takes, where gray or colour images can be made so."""
    first = next((m for m in network.modules() if isinstance(m, nn.Conv2d)), None)
    wanted = [] if first is None else [first.in_channels]
    return [count for count in wanted if count in (1, 3) and count != images.shape[1]]


def _check(scores: torch.Tensor, num_classes: int, build_model: Any) -> None:
    shape = tuple(scores.shape)
    fits = len(shape) == 2 and shape[1] >= num_classes
    is_single = num_classes == 2 and shape in ((2,), (2, 1))
    if not (fits or is_single):
        raise PlateauError(
            f"recipe.code: the network of {place('build_model', build_model)} gives {shape} for 2 images of "
            f"{num_classes} classes; allowed: (2, {num_classes}), or more outputs"
        )


@contextmanager
def _modes_kept(network: nn.Module) -> Iterator[None]:
    modes = [(module, module.training) for module in network.modules()]
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


@contextmanager
def _untouched(network: nn.Module) -> Iterator[None]:
    """Puts modes, buffers and torch's random numbers back: what training mode changes without any step."""
    buffers = [(buffer, buffer.clone()) for buffer in network.buffers()]
    with _modes_kept(network), torch.random.fork_rng(devices=[]):
        try:
            yield
        finally:
            for buffer, before in buffers:
                buffer.copy_(before)
