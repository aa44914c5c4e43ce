"""What goes into a training run, and what comes out of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

from plateau_cause.config.recipe import Recipe
from plateau_cause.training import signals
from plateau_cause.training.inputs import Inputs
from plateau_cause.training.losses import LossFunction


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
    is_own: bool = False  # whether functions of the user's file take part
    clears: bool = True  # gradients before each step; False: as the optimizer's own zero_grad() leaves them
    smallest_batch: int = 1  # 2 where batch norm cannot train on the single image that would be left over


@dataclass
class Outcome:
    """What a run leaves behind.

    Attributes:
        history: one row per epoch: train_loss, train_accuracy, val_loss, val_accuracy, learning_rate.
        signals: gradient norm and update ratio per block and epoch.
        val_outputs, test_outputs: (n, C) outputs of the kept epoch, in the order of the rows; -inf where a
            network with more outputs than classes decides for none of them.
        kept_epoch: counted from 1; 0 where nothing was trained.
        diverged_step: the optimizer step, counted from 1, at which the loss was no number any more (or whose
            outputs were none); None where training stayed finite. Nothing is trained after that epoch.
        seconds: wall time of training and evaluation.
    """

    history: list[dict[str, float]] = field(default_factory=list)
    signals: list[dict[str, Any]] = field(default_factory=list)
    val_outputs: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    test_outputs: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    kept_epoch: int = 0
    seconds: float = 0.0
    diverged_step: int | None = None
