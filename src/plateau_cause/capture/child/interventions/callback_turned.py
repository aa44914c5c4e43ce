"""Callbacks of Lightning wait for their metric to move the other way."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.child.interventions.base import Intervention

OF_CHECKPOINTS = "_ModelCheckpoint__init_monitor_mode"  # what sets a mode there


class CallbackTurned(Intervention):
    """Turns `EarlyStopping` and `ModelCheckpoint`. Settings: `monitor`, `mode` (min or max)."""

    def fitting(self, trainer: Any) -> None:
        """Sets the mode, and what follows from it."""
        import torch

        mode, worst = self.settings["mode"], torch.tensor(float("inf"))
        for one in trainer.callbacks:
            if getattr(one, "monitor", None) != self.settings["monitor"] or not hasattr(one, "mode"):
                continue
            if hasattr(one, OF_CHECKPOINTS):
                getattr(one, OF_CHECKPOINTS)(mode)
            one.mode = mode
            if hasattr(one, "min_delta"):
                one.min_delta = abs(one.min_delta) * (1 if mode == "max" else -1)
                one.best_score = -worst if mode == "max" else worst
            self.times += 1


CHANGE = CallbackTurned
