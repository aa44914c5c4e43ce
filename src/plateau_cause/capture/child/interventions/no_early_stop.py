"""A training of Lightning goes on to the last epoch, whatever `EarlyStopping` waits for."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.child.interventions.base import Intervention


class NoEarlyStop(Intervention):
    """Leaves the callback out. Settings: `epochs`, at most so many."""

    def fitting(self, trainer: Any) -> None:
        """Changes the trainer's callbacks, and how many epochs it trains."""
        kept = [one for one in trainer.callbacks if type(one).__name__ != "EarlyStopping"]
        if len(kept) == len(trainer.callbacks):
            return
        trainer.callbacks[:] = kept
        if "epochs" in self.settings:
            trainer.fit_loop.max_epochs = min(int(self.settings["epochs"]), trainer.max_epochs)
        self.times += 1


CHANGE = NoEarlyStop
