"""What a killed run needs to go on exactly where it stood."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

SAVE_EVERY_S = 5.0  # writing more often costs more than repeating


@dataclass
class State:
    """A run between two epochs; `epoch` counts the finished ones."""

    epoch: int = 0
    seconds: float = 0.0
    kept_epoch: int = 0
    peaks: list[float] = field(default_factory=list)
    history: list[dict[str, float]] = field(default_factory=list)
    signals: list[dict[str, Any]] = field(default_factory=list)
    margin_sum: torch.Tensor | None = None
    margin_count: int = 0
    kept_weights: dict[str, torch.Tensor] | None = None
    saved_at_s: float = 0.0

    def add_margins(self, margins: np.ndarray) -> None:
        """Adds one epoch's margins (n_train,) to the running sum."""
        tensor = torch.from_numpy(margins).double()
        self.margin_sum = tensor if self.margin_sum is None else self.margin_sum + tensor
        self.margin_count += 1

    def mean_margins(self, n: int) -> np.ndarray:
        """Returns the mean margin (n,) over epochs, NaN where none was measured."""
        if self.margin_sum is None:
            return np.full(n, np.nan, np.float32)
        return (self.margin_sum / self.margin_count).numpy().astype(np.float32)


def save(path: Path | None, state: State, model: nn.Module, optimizer: torch.optim.Optimizer | None) -> None:
    """Writes the run's state atomically, at most every few seconds."""
    if path is None or state.seconds - state.saved_at_s < SAVE_EVERY_S:
        return
    state.saved_at_s = state.seconds
    path.parent.mkdir(parents=True, exist_ok=True)
    values = {item.name: getattr(state, item.name) for item in fields(State)}
    partial = path.with_suffix(f".{os.getpid()}.partial")
    torch.save({"state": values, "model": model.state_dict(), "optimizer": _optimizer_state(optimizer)}, partial)
    os.replace(partial, path)


def load(path: Path | None, model: nn.Module, optimizer: torch.optim.Optimizer | None) -> State | None:
    """Returns the saved state, with model and optimiser put back as they were, or None where nothing was saved."""
    if path is None or not path.exists():
        return None
    saved = torch.load(path, weights_only=True, map_location="cpu")
    model.load_state_dict(saved["model"])
    if optimizer is not None:
        optimizer.load_state_dict(saved["optimizer"])
    return State(**saved["state"])


def _optimizer_state(optimizer: torch.optim.Optimizer | None) -> dict[str, Any] | None:
    return optimizer.state_dict() if optimizer is not None else None
