"""What a killed run needs to go on exactly where it stood."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from torch import nn

SAVE_EVERY_S = 5.0  # writing more often costs more than repeating


@dataclass
class State:
    """A run between two epochs; `epoch` counts the finished ones, `diverged_step` is as in Outcome."""

    epoch: int = 0
    seconds: float = 0.0
    kept_epoch: int = 0
    diverged_step: int | None = None
    peaks: list[float] = field(default_factory=list)
    history: list[dict[str, float]] = field(default_factory=list)
    signals: list[dict[str, Any]] = field(default_factory=list)
    kept_weights: dict[str, torch.Tensor] | None = None
    saved_at_s: float = 0.0


def save(path: Path | None, state: State, model: nn.Module, optimizer: torch.optim.Optimizer | None) -> None:
    """Writes the run's state atomically, at most every few seconds."""
    if path is None or state.seconds - state.saved_at_s < SAVE_EVERY_S:
        return
    state.saved_at_s = state.seconds
    path.parent.mkdir(parents=True, exist_ok=True)
    values = {item.name: getattr(state, item.name) for item in fields(State)}
    partial = path.with_suffix(f".{os.getpid()}.partial")
    torch.save(
        {"state": values, "model": model.state_dict(), "optimizer": _optimizer_state(optimizer)}, partial
    )
    os.replace(partial, path)


def load(path: Path | None, model: nn.Module, optimizer: torch.optim.Optimizer | None) -> State | None:
    """Returns the saved state, model and optimiser put back as they were; None where nothing was saved."""
    if path is None or not path.exists():
        return None
    saved = torch.load(path, weights_only=True, map_location="cpu")
    model.load_state_dict(saved["model"])
    if optimizer is not None:
        optimizer.load_state_dict(saved["optimizer"])
    return State(**saved["state"])


def _optimizer_state(optimizer: torch.optim.Optimizer | None) -> dict[str, Any] | None:
    return optimizer.state_dict() if optimizer is not None else None
