"""The learning-rate range test (Smith 2017): which rate suits these parameters under this optimiser."""

from __future__ import annotations

import numpy as np
import torch

from plateau_cause.runtime import seed_everything
from plateau_cause.training import depthwise
from plateau_cause.training import optimizer as optimizers
from plateau_cause.training.evaluation import channels_last
from plateau_cause.training.outputs import forward
from plateau_cause.training.task import Task

STEPS = 30
RATES = {"sgd": (1e-4, 3.0), "rmsprop": (1e-6, 3e-2), "adam": (1e-6, 1e-1), "adamw": (1e-6, 1e-1)}
SMOOTHING = 0.7


def sweep(task: Task, steps: int = STEPS) -> tuple[np.ndarray, np.ndarray]:
    """Returns learning rates (k,) and smoothed training losses (k,) of a log-spaced sweep, k <= steps.

    The sweep ends early where the loss explodes, and at once where no gradient reaches anything. The task's
    model and optimiser are used up by it.
    """
    assert task.optimizer is not None
    low, high = RATES[type(task.optimizer).__name__.lower()]
    rates = np.geomspace(low, high, steps)
    seed_everything(task.seed)
    task.model.train()
    task.enter_training()
    generator = torch.Generator().manual_seed(task.seed)
    losses: list[float] = []
    for rate in rates:
        picks = torch.randint(len(task.rows.train), (task.recipe.batch_size,), generator=generator)
        loss = _step(task, torch.from_numpy(task.rows.train)[picks], float(rate), generator)
        if loss is None:
            break
        losses.append(loss if not losses else SMOOTHING * losses[-1] + (1 - SMOOTHING) * loss)
        if not np.isfinite(loss) or loss > 4.0 * min(losses):
            break
    return rates[: len(losses)], np.asarray(losses)


def optimum(task: Task) -> float | None:
    """Returns a tenth of the rate at which the smoothed loss is lowest, the usual choice.

    None where no rate shows anything: no gradient reaches anything, or the loss is no number from the start.
    """
    rates, losses = sweep(task)
    finite = np.isfinite(losses)
    if not finite.any():
        return None
    rates, losses = rates[finite], losses[finite]
    bottom = int(losses.argmin())
    return float(rates[bottom] / 10.0)


def _step(task: Task, rows: torch.Tensor, rate: float, generator: torch.Generator) -> float | None:
    """Returns the loss before one step at this rate, or None where there is no gradient to follow."""
    assert task.optimizer is not None
    optimizers.set_learning_rate(task.optimizer, [rate] * len(task.optimizer.param_groups), 1.0)
    tensor = channels_last(task.inputs.training(rows, generator))
    with depthwise.folded(tensor.device):
        output = forward(task.model, tensor)
    loss = task.loss(output, task.targets[rows.to(task.targets.device)])
    if not loss.requires_grad:
        return None
    task.optimizer.zero_grad()
    loss.backward()
    task.optimizer.step()
    return float(loss.detach())
