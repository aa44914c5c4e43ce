"""Hugging Face's `Trainer.train`: its epochs are no loop of the script, and it may evaluate late."""

from __future__ import annotations

import math
from types import ModuleType
from typing import TYPE_CHECKING, Any

from plateau_cause.capture.child.places import here

if TYPE_CHECKING:
    from plateau_cause.capture.child.main import Doors


def install(doors: Doors, module: ModuleType) -> None:
    """Puts the listener in; `transformers.trainer` has just been imported."""
    doors.hooks.before(module.Trainer, "train", lambda given, *_, **__: _begun(doors, given))


def _begun(doors: Doors, trainer: Any) -> None:
    arguments = trainer.args
    if arguments.max_steps <= 0:
        doors.course.plan = math.ceil(arguments.num_train_epochs), here()
    if doors.job["mode"] != "peek":
        return
    steps = type(arguments.save_strategy)
    arguments.save_strategy = steps("no")
    if arguments.eval_strategy == "steps":
        arguments.eval_steps = 1
