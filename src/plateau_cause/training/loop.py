"""The one training loop: every arm, on CPU or CUDA, seeded, resumable, bit for bit repeatable on CPU."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from plateau_cause.errors import PlateauError
from plateau_cause.runtime import progress, seed_everything
from plateau_cause.training import checkpoint as checkpoints
from plateau_cause.training import depthwise, signals
from plateau_cause.training import optimizer as optimizers
from plateau_cause.training.evaluation import accuracy, autocast, channels_last, predict
from plateau_cause.training.outputs import decisions, forward
from plateau_cause.training.task import Outcome, Task
from plateau_cause.training.user_code import explain

MOST_TRAIN_EVALUATED = (
    600  # training images on which train accuracy is measured every epoch (± 2 points at 0.9)
)
TOO_FEW_VALUES = "more than 1 value per channel"  # what batch norm says of one value in training


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
    for epoch, index, rows, tensors in bar:
        if index == 0:
            _start_epoch(task, epoch)
        final = index == steps_per_epoch(task) - 1
        losses.append(_step(task, state, epoch, index, rows, tensors, watch=final))
        if final:
            row = _end_epoch(task, state, epoch, torch.stack(losses).cpu())
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
    return state.diverged_step is not None


def steps_per_epoch(task: Task) -> int:
    """Returns the batches per epoch; the last one may be smaller, where the network can train on it."""
    full, rest = divmod(len(task.rows.train), task.recipe.batch_size)
    return max(1, full + (rest >= task.smallest_batch))


def _batches(task: Task, first: int) -> Iterator[tuple[int, int, torch.Tensor, Iterator[torch.Tensor]]]:
    """Yields epoch, index, rows, and what to take the batch's inputs from: nothing is made before."""
    for epoch in range(first, task.recipe.schedule.epochs):
        generator = torch.Generator().manual_seed(_epoch_seed(task.seed, epoch))
        order = _order(task, generator)
        batches = order.split(task.recipe.batch_size)[: steps_per_epoch(task)]
        tensors = task.inputs.training_batches(batches, generator)
        for index, rows in enumerate(batches):
            yield epoch, index, rows, tensors


def _order(task: Task, generator: torch.Generator) -> torch.Tensor:
    rows = torch.from_numpy(task.rows.train)
    if task.recipe.sampler == "balanced":
        labels = task.targets.cpu()[rows]
        weights = 1.0 / torch.bincount(labels, minlength=task.num_classes).clamp(min=1)[labels].double()
        return rows[torch.multinomial(weights, len(rows), replacement=True, generator=generator)]
    return rows[torch.randperm(len(rows), generator=generator)] if task.recipe.shuffle else rows


def _start_epoch(task: Task, epoch: int) -> None:
    # Dropout draws from the global generators: seeded per epoch, a resumed run continues exactly where the
    # killed one stood.
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
    tensors: Iterator[torch.Tensor],
    watch: bool,
) -> torch.Tensor:
    try:
        loss = _loss(task, rows, next(tensors))
        if task.optimizer is not None and loss.requires_grad:
            before = signals.snapshot(task.blocks) if watch else []
            _update(task, state, epoch * steps_per_epoch(task) + index, loss)
            if watch:
                found = signals.compare(task.blocks, before)
                state.signals += [{"epoch": epoch + 1, **asdict(signal)} for signal in found]
        return loss.detach()
    except Exception as error:
        if (line := _mendable(task, error)) is None:
            raise
        raise PlateauError(line) from error


def _loss(task: Task, rows: torch.Tensor, batch: torch.Tensor) -> torch.Tensor:
    tensor = channels_last(batch)
    target = task.targets[rows.to(task.targets.device)]
    with autocast(tensor.device), depthwise.folded(tensor.device):
        output = forward(task.model, tensor)
    return task.loss(output.float() if isinstance(output, torch.Tensor) else output, target)


def _update(task: Task, state: checkpoints.State, step: int, loss: torch.Tensor) -> None:
    assert task.optimizer is not None
    schedule = task.recipe.schedule
    optimizers.follow(task.optimizer, schedule, state.peaks, step, schedule.epochs * steps_per_epoch(task))
    optimizers.clear(task.optimizer, task.clears)
    loss.backward()
    task.optimizer.step()


def _mendable(task: Task, error: Exception) -> str | None:
    """Returns what the user can mend in one line; None for an error that is said already, or not theirs."""
    if TOO_FEW_VALUES in str(error):
        return (
            f"recipe.batch_size: got {task.recipe.batch_size}: batch norms that train need several values "
            "per channel; allowed: more images per step, or batch_norm: frozen"
        )
    is_said = isinstance(error, PlateauError | torch.OutOfMemoryError)
    return f"recipe.code: a training step {explain(error)}" if task.is_own and not is_said else None


def _end_epoch(task: Task, state: checkpoints.State, epoch: int, losses: torch.Tensor) -> dict[str, float]:
    shown = task.rows.train
    if len(shown) > MOST_TRAIN_EVALUATED:
        shown = np.random.default_rng(task.seed).choice(shown, MOST_TRAIN_EVALUATED, replace=False)
    targets = task.targets.cpu()
    on_train = predict(task.model, task.inputs, shown)
    on_val = predict(task.model, task.inputs, task.rows.val)
    row = {
        "epoch": epoch + 1,
        "train_loss": float(losses.mean()),
        "train_accuracy": accuracy(decisions(on_train, task.num_classes), targets[torch.from_numpy(shown)]),
        "val_loss": _validation_loss(task, on_val, targets[torch.from_numpy(task.rows.val)]),
        "val_accuracy": accuracy(
            decisions(on_val, task.num_classes), targets[torch.from_numpy(task.rows.val)]
        ),
        "learning_rate": float(task.optimizer.param_groups[0]["lr"]) if task.optimizer else 0.0,
    }
    state.history.append(row)
    state.epoch = epoch + 1
    state.diverged_step = _diverged(losses, on_val, epoch)
    best = max(float(r["val_accuracy"]) for r in state.history)
    if task.recipe.schedule.keep == "last" or row["val_accuracy"] >= best:
        state.kept_epoch = epoch + 1
        if task.recipe.schedule.keep == "best":
            state.kept_weights = {k: v.detach().clone() for k, v in task.model.state_dict().items()}
    return row


def _validation_loss(task: Task, outputs: torch.Tensor, targets: torch.Tensor) -> float:
    """Returns the loss of the outputs; NaN for a loss that reads more than the scores a network gives."""
    try:
        return float(task.loss(outputs, targets))
    except PlateauError:  # it worked in training, on what the network gives there
        return float("nan")


def _diverged(losses: torch.Tensor, outputs: torch.Tensor, epoch: int) -> int | None:
    """Returns the step (from 1) whose loss is no number, the epoch's last where only the outputs are none."""
    lost = (~losses.isfinite()).nonzero()
    if len(lost):
        return epoch * len(losses) + int(lost[0, 0]) + 1
    return None if outputs.isfinite().any() else (epoch + 1) * len(losses)


def _finish(task: Task, state: checkpoints.State, checkpoint: Path | None, started: float) -> Outcome:
    if state.kept_weights is not None:
        task.model.load_state_dict(state.kept_weights)
    on_val, on_test = (predict(task.model, task.inputs, rows) for rows in (task.rows.val, task.rows.test))
    outcome = Outcome(
        history=state.history,
        signals=state.signals,
        val_outputs=decisions(on_val, task.num_classes).numpy(),
        test_outputs=decisions(on_test, task.num_classes).numpy(),
        kept_epoch=state.kept_epoch,
        diverged_step=state.diverged_step,
    )
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)
    outcome.seconds = time.perf_counter() - started
    return outcome
