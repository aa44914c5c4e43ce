"""The one training loop: every arm, on CPU or CUDA, seeded, resumable, bit for bit repeatable on CPU."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from plateau_cause.config.recipe import Recipe
from plateau_cause.runtime import progress, seed_everything
from plateau_cause.training import checkpoint as checkpoints
from plateau_cause.training import depthwise, signals
from plateau_cause.training import optimizer as optimizers
from plateau_cause.training.inputs import Inputs
from plateau_cause.training.losses import LossFunction

MOST_TRAIN_EVALUATED = (
    600  # training images on which train accuracy is measured every epoch (± 2 points at 0.9)
)
EVALUATION_BATCH = 64


@dataclass(frozen=True)
class Rows:
    """Manifest rows (int64) of each split; `train` is what this arm may learn from."""

    train: np.ndarray
    val: np.ndarray
    test: np.ndarray


@dataclass
class Task:
    """Everything that one training run needs; the model and the optimiser are changed by it."""

    model: nn.Module
    inputs: Inputs
    targets: torch.Tensor  # (N,) int64 of the whole manifest, on the device
    rows: Rows
    recipe: Recipe
    seed: int
    loss: LossFunction
    optimizer: torch.optim.Optimizer | None
    blocks: signals.Blocks
    enter_training: Callable[[], None]  # puts the model into the recipe's training mode
    num_classes: int
    name: str = "train"


@dataclass
class Outcome:
    """What a run leaves behind.

    Attributes:
        history: one row per epoch: train_loss, train_accuracy, val_loss, val_accuracy, learning_rate.
        signals: gradient norm and update ratio per block and epoch.
        val_outputs, test_outputs: (n, C) outputs of the kept epoch, in the order of the rows.
        kept_epoch: counted from 1; 0 where nothing was trained.
        seconds: wall time of training and evaluation.
    """

    history: list[dict[str, float]] = field(default_factory=list)
    signals: list[dict[str, Any]] = field(default_factory=list)
    val_outputs: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    test_outputs: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    kept_epoch: int = 0
    seconds: float = 0.0


def train(
    task: Task, checkpoint: Path | None = None, on_epoch: Callable[[dict[str, float]], None] | None = None
) -> Outcome:
    """Trains the task's model in place and returns what it measured.

    Args:
        task: the model and all it needs.
        checkpoint: file to resume from and to save to; removed when training is complete.
        on_epoch: called with each epoch's history row.
    """
    state = checkpoints.load(checkpoint, task.model, task.optimizer) or checkpoints.State()
    started = time.perf_counter() - state.seconds
    peaks = [float(group["lr"]) for group in task.optimizer.param_groups] if task.optimizer else []
    state.peaks = state.peaks or peaks
    last = task.recipe.schedule.epochs if _is_lost(state) else state.epoch
    losses: list[torch.Tensor] = []
    bar = progress(
        _batches(task, first=last), (task.recipe.schedule.epochs - last) * steps_per_epoch(task), task.name
    )
    for epoch, index, rows, generator in bar:
        if index == 0:
            _start_epoch(task, epoch)
        final = index == steps_per_epoch(task) - 1
        losses.append(_step(task, state, epoch, index, rows, generator, watch=final))
        if final:
            row = _end_epoch(task, state, epoch, float(torch.stack(losses).mean()))
            losses.clear()
            state.seconds = time.perf_counter() - started
            checkpoints.save(checkpoint, state, task.model, task.optimizer)
            if on_epoch:
                on_epoch(row)
            if _is_lost(state):
                break
    return _finish(task, state, checkpoint, started)


def _is_lost(state: checkpoints.State) -> bool:
    """Returns whether the loss is no number any more: nothing that follows is training."""
    return bool(state.history) and not np.isfinite(state.history[-1]["train_loss"])


def steps_per_epoch(task: Task) -> int:
    """Returns the batches per epoch; a last one of a single image is left out (batch norm fails on it)."""
    full, rest = divmod(len(task.rows.train), task.recipe.batch_size)
    return max(1, full + (rest > 1 or (rest == 1 and full == 0)))


@torch.inference_mode()
def predict(model: nn.Module, inputs: Inputs, rows: np.ndarray) -> torch.Tensor:
    """Returns outputs (n, C) float32 on the CPU, in eval mode, and leaves the model in eval mode."""
    model.eval()
    batches = torch.from_numpy(rows).split(EVALUATION_BATCH)
    outputs = []
    for batch in batches:
        tensor = channels_last(inputs.evaluation(batch))
        with _autocast(tensor.device):
            outputs.append(model(tensor).float().cpu())
    return torch.cat(outputs)


def channels_last(tensor: torch.Tensor) -> torch.Tensor:
    """Returns images (B, 3, H, W) in the layout of fast convolutions: about twice as fast on a CPU."""
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor


def _batches(task: Task, first: int) -> Iterator[tuple[int, int, torch.Tensor, torch.Generator]]:
    for epoch in range(first, task.recipe.schedule.epochs):
        generator = torch.Generator().manual_seed(_epoch_seed(task.seed, epoch))
        order = _order(task, generator)
        for index in range(steps_per_epoch(task)):
            start = index * task.recipe.batch_size
            yield epoch, index, order[start : start + task.recipe.batch_size], generator


def _order(task: Task, generator: torch.Generator) -> torch.Tensor:
    rows = torch.from_numpy(task.rows.train)
    if task.recipe.sampler == "balanced":
        labels = task.targets.cpu()[rows]
        weights = 1.0 / torch.bincount(labels, minlength=task.num_classes).clamp(min=1)[labels].double()
        return rows[torch.multinomial(weights, len(rows), replacement=True, generator=generator)]
    return rows[torch.randperm(len(rows), generator=generator)] if task.recipe.shuffle else rows


def _start_epoch(task: Task, epoch: int) -> None:
    # Dropout and the user's random transforms draw from the global generators: seeded per epoch, a resumed
    # run continues exactly where the killed one stood.
    seed_everything(_epoch_seed(task.seed, epoch))
    task.model.train()
    task.enter_training()


def _epoch_seed(seed: int, epoch: int) -> int:
    return (seed * 1_000_003 + epoch * 7919 + 12345) % 2**31


def _step(
    task: Task,
    state: checkpoints.State,
    epoch: int,
    index: int,
    rows: torch.Tensor,
    generator: torch.Generator,
    watch: bool,
) -> torch.Tensor:
    steps = steps_per_epoch(task)
    tensor = channels_last(task.inputs.training(rows, generator))
    target = task.targets[rows.to(task.targets.device)]
    with _autocast(tensor.device), depthwise.folded(tensor.device):
        output = task.model(tensor)
    loss = task.loss(output.float(), target)
    if task.optimizer is None or not loss.requires_grad:
        return loss.detach()
    multiple = optimizers.factor(
        task.recipe.schedule, epoch * steps + index, steps * task.recipe.schedule.epochs
    )
    optimizers.set_learning_rate(task.optimizer, state.peaks, multiple)
    before = signals.snapshot(task.blocks) if watch else []
    task.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    task.optimizer.step()
    if watch:
        state.signals += [{"epoch": epoch + 1, **asdict(s)} for s in signals.compare(task.blocks, before)]
    return loss.detach()


def _end_epoch(task: Task, state: checkpoints.State, epoch: int, train_loss: float) -> dict[str, float]:
    shown = task.rows.train
    if len(shown) > MOST_TRAIN_EVALUATED:
        shown = np.random.default_rng(task.seed).choice(shown, MOST_TRAIN_EVALUATED, replace=False)
    targets = task.targets.cpu()
    on_train = predict(task.model, task.inputs, shown)
    on_val = predict(task.model, task.inputs, task.rows.val)
    row = {
        "epoch": epoch + 1,
        "train_loss": train_loss,
        "train_accuracy": accuracy(on_train, targets[torch.from_numpy(shown)]),
        "val_loss": float(task.loss(on_val, targets[torch.from_numpy(task.rows.val)])),
        "val_accuracy": accuracy(on_val, targets[torch.from_numpy(task.rows.val)]),
        "learning_rate": float(task.optimizer.param_groups[0]["lr"]) if task.optimizer else 0.0,
    }
    state.history.append(row)
    state.epoch = epoch + 1
    best = max(float(r["val_accuracy"]) for r in state.history)
    if task.recipe.schedule.keep == "last" or row["val_accuracy"] >= best:
        state.kept_epoch = epoch + 1
        if task.recipe.schedule.keep == "best":
            state.kept_weights = {k: v.detach().clone() for k, v in task.model.state_dict().items()}
    return row


def accuracy(outputs: torch.Tensor, targets: torch.Tensor) -> float:
    """Returns the share of rows whose highest output is the target; a row that is not a number is wrong."""
    right = (outputs.argmax(1) == targets) & outputs.isfinite().all(1)
    return float(right.double().mean())


def _finish(task: Task, state: checkpoints.State, checkpoint: Path | None, started: float) -> Outcome:
    if state.kept_weights is not None:
        task.model.load_state_dict(state.kept_weights)
    outcome = Outcome(
        history=state.history,
        signals=state.signals,
        val_outputs=predict(task.model, task.inputs, task.rows.val).numpy(),
        test_outputs=predict(task.model, task.inputs, task.rows.test).numpy(),
        kept_epoch=state.kept_epoch,
    )
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)
    outcome.seconds = time.perf_counter() - started
    return outcome


def _autocast(device: torch.device) -> Any:
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cuda")
