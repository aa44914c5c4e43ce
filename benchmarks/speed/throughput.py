"""One network on random images: plateau's own loops, bare ones, and what the device allows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from plateau_cause.backbones import load_backbone
from plateau_cause.backbones.types import Backbone
from plateau_cause.config.recipe import Head, Preprocessing, Recipe, Schedule
from plateau_cause.features.embed import embed
from plateau_cause.images.preprocessing import canonical, normalize
from plateau_cause.training import losses, model
from plateau_cause.training.evaluation import autocast
from plateau_cause.training.inputs import PixelInputs
from plateau_cause.training.loop import train
from plateau_cause.training.task import Rows, Task

CLASSES = 10
PEAK_SIDE = {"cuda": 8192, "cpu": 512}  # of the matrices whose product shows the peak
COPIED_BYTES = {"cuda": 2**30, "cpu": 2**24}
TRIES = 5
# What no compiler fuses away: their inputs are read and their outputs written, once at least.
UNFUSED = ("convolution", "mm", "bmm", "addmm", "attention")


@dataclass
class Workload:
    """What is measured, on a device.

    Attributes:
        name, weights: of the backbone.
        size_px: height and width of the images.
        batch: images per step of every loop.
        images: per epoch, a multiple of `batch`.
        epochs: that are timed, one beside them to warm up; the best counts.
        compiler: backend of torch.compile.
    """

    name: str
    weights: str
    size_px: int
    batch: int
    images: int
    device: torch.device
    epochs: int = 2
    compiler: str = "inductor"
    backbone: Backbone = field(init=False)
    pixels: torch.Tensor = field(init=False)  # (N, 3, S, S) uint8, on the CPU
    targets: torch.Tensor = field(init=False)  # (N,), on the device

    def __post_init__(self) -> None:
        generator = torch.Generator().manual_seed(0)
        shape = (self.images, 3, self.size_px, self.size_px)
        self.backbone = load_backbone(self.name, self.weights)
        self.pixels = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
        self.targets = torch.randint(0, CLASSES, (self.images,), generator=generator).to(self.device)

    @property
    def preprocessing(self) -> Preprocessing:
        """Returns what the backbone's weights expect, at this size."""
        return canonical(self.backbone.expects, self.size_px)

    def network(self) -> nn.Module:
        """Returns the backbone with a new head, on the device, channels last."""
        network = model.Classifier(self.backbone, CLASSES, Head())
        return network.to(device=self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def best(self, epoch: Callable[[], None]) -> float:
        """Returns images per second of the fastest epoch after one that warms up."""
        epoch()
        return self.images / min(_seconds(epoch, self.device) for _ in range(self.epochs))


def bare_embedding(work: Workload, compiled: bool) -> float:
    """Returns images/s of forward passes over batches that lie on the device already."""
    network = work.network().eval()
    forward = torch.compile(network, backend=work.compiler) if compiled else network
    batches = list(_batches(work))

    @torch.inference_mode()
    def epoch() -> None:
        for batch, _ in batches:
            with autocast(work.device):
                forward(_ready(work, batch)).float()

    return work.best(epoch)


def bare_training(work: Workload, compiled: bool) -> float:
    """Returns images/s of steps as short as PyTorch allows, over batches that lie on the device already."""
    network = work.network().train()
    forward = torch.compile(network, backend=work.compiler) if compiled else network
    moving = optimizer(network)
    batches = list(_batches(work))

    def epoch() -> None:
        for batch, target in batches:
            with autocast(work.device):
                output = forward(_ready(work, batch))
            moving.zero_grad()
            functional.cross_entropy(output.float(), target).backward()
            moving.step()

    return work.best(epoch)


def embedding(work: Workload) -> float:
    """Returns images/s of `features.embed.embed`, from images in the CPU's memory to features there."""
    images = work.pixels.numpy()
    return work.best(lambda: _drop(embed(work.backbone, images, work.preprocessing, work.device)))


def training(work: Workload) -> float:
    """Returns images/s of an epoch of `training.loop.train`, its evaluations and signals included."""
    network = work.network()
    recipe = Recipe(trainable="all", schedule=Schedule(epochs=work.epochs + 1), batch_size=work.batch)
    held_out = np.arange(work.batch)
    task = Task(
        model=network,
        inputs=PixelInputs(work.pixels.numpy(), work.preprocessing, "none", work.device),
        targets=work.targets,
        rows=Rows(np.arange(work.images), held_out, held_out),
        recipe=recipe,
        seed=0,
        loss=losses.build(recipe.loss),
        optimizer=optimizer(network),
        blocks=model.blocks(network),
        enter_training=lambda: None,
        num_classes=CLASSES,
    )
    ends: list[float] = []
    train(task, on_epoch=lambda _: ends.append(time.perf_counter()))  # which waits for the device
    return work.images / min(later - earlier for earlier, later in pairwise(ends))


@dataclass(frozen=True)
class Ceilings:
    """What the device does at best, measured: products of bfloat16 matrices (float32 on a CPU), copies."""

    flops_per_s: float
    bytes_per_s: float


def ceilings(device: torch.device) -> Ceilings:
    """Returns the device's peaks, the best of a few tries."""
    side, size = PEAK_SIDE[device.type], COPIED_BYTES[device.type]
    kind = torch.bfloat16 if device.type == "cuda" else torch.float32
    left, right = (torch.randn(side, side, device=device, dtype=kind) for _ in "ab")
    source = torch.zeros(size, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    product_s, copy_s = (
        min(_seconds(action, device) for _ in range(TRIES))
        for action in (lambda: _drop(left @ right), lambda: _drop(target.copy_(source)))
    )
    return Ceilings(2 * side**3 / product_s, 2 * size / copy_s)


def roofline(work: Workload, peaks: Ceilings, is_training: bool) -> float:
    """Returns images/s that no program can exceed at these peaks: all arithmetic, or the least traffic."""
    network = work.network().train(is_training)
    batch, target = next(_batches(work))
    count, traffic = FlopCounterMode(display=False), Traffic()
    with torch.set_grad_enabled(is_training), count, traffic:
        with autocast(work.device):
            output = network(_ready(work, batch))
        if is_training:
            functional.cross_entropy(output.float(), target).backward()
    flops, moved = count.get_total_flops() / work.batch, traffic.bytes / work.batch
    return 1 / max(flops / peaks.flops_per_s, moved / peaks.bytes_per_s)


class Traffic(TorchDispatchMode):
    """Counts the bytes that convolutions, matrix products and attention read and write while active."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Returns what the operation returns."""
        given = func(*args, **(kwargs or {}))
        if any(word in func.__name__ for word in UNFUSED):
            tensors = [*args, *(given if isinstance(given, tuple) else (given,))]
            self.bytes += sum(t.numel() * t.element_size() for t in tensors if isinstance(t, torch.Tensor))
        return given


def optimizer(network: nn.Module) -> torch.optim.Optimizer:
    """Returns what every side of a comparison trains with."""
    return torch.optim.AdamW(network.parameters(), 1e-4, fused=True)


def _batches(work: Workload) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    pixels = work.pixels.to(work.device)
    return zip(pixels.split(work.batch), work.targets.split(work.batch), strict=True)


def _ready(work: Workload, batch: torch.Tensor) -> torch.Tensor:
    return normalize(batch, work.preprocessing).contiguous(memory_format=torch.channels_last)


def _seconds(action: Callable[[], None], device: torch.device) -> float:
    wait(device)
    started = time.perf_counter()
    action()
    wait(device)
    return time.perf_counter() - started


def wait(device: torch.device) -> None:
    """Waits until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _drop(_: object) -> None:
    """Returns nothing of what was computed."""
