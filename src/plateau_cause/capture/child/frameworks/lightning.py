"""Lightning's `Trainer.fit`: its epochs are no loop of the script, and it counts batches beforehand."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

from plateau_cause.capture.child.places import here, is_users

if TYPE_CHECKING:
    from plateau_cause.capture.child.main import Doors

BATCHES = 2  # of training, in each epoch of a peek


def install(doors: Doors, module: ModuleType) -> None:
    """Puts the listeners in; `lightning.pytorch.trainer.trainer` has just been imported."""
    trainer = module.Trainer
    rehearses = partial(setattr, doors.course, "is_rehearsal")
    doors.hooks.during(trainer, "_run_sanity_check", lambda: rehearses(True), lambda: rehearses(False))
    doors.hooks.before(trainer, "fit", lambda given, *_, **__: _begun(doors, given))
    if doors.job["mode"] == "peek":
        trainer.save_checkpoint = _saving_nothing(doors, trainer.save_checkpoint)
        trainer.num_training_batches = property(partial(_batches, trainer.num_training_batches.fget))


def install_tuner(doors: Doors, module: ModuleType) -> None:
    """Passes over trainings that look for a rate or a batch size: what they did is taken back."""
    for owner in (getattr(module, name, None) for name in ("Tuner", "LearningRateFinder", "BatchSizeFinder")):
        for name in ("lr_find", "scale_batch_size"):
            doors.hooks.aside(owner, name)


def install_schedules(doors: Doors, module: ModuleType) -> None:
    """Puts the listener in that says when schedules are stepped; the loop of an epoch has been imported."""

    def stepping(_: Any, interval: str, *__: Any, **___: Any) -> None:
        doors.stepping.schedules.interval = "epoch" if interval == "epoch" else "batch"

    doors.hooks.before(module._TrainingEpochLoop, "update_lr_schedulers", stepping)


def _begun(doors: Doors, trainer: Any) -> None:
    if trainer.max_epochs and trainer.max_epochs > 0:
        doors.course.plan = trainer.max_epochs, here()
    kinds = [kind.__name__ for one in trainer.callbacks for kind in type(one).__mro__]
    if "BaseFinetuning" in kinds:
        doors.course.thaws = here()
    doors.course.callbacks = [
        {"class": type(one).__name__, "monitor": str(one.monitor), "mode": str(one.mode), "place": here()}
        for one in trainer.callbacks
        if getattr(one, "monitor", None) and hasattr(one, "mode")
    ]
    if doors.calling.changes is not None:
        doors.calling.changes.fitting(trainer)
    if doors.job["mode"] == "peek":
        _shorten(trainer)


def _shorten(trainer: Any) -> None:
    """Lets an epoch end after two steps, with its evaluation."""
    trainer._plateau_asked = trainer.limit_train_batches
    trainer.limit_train_batches = BATCHES * max(int(trainer.accumulate_grad_batches), 1)
    trainer.limit_val_batches = 1
    trainer.val_check_interval, trainer.check_val_every_n_epoch = 1.0, 1


def _batches(shortened: Callable[[Any], float], trainer: Any) -> float:
    """Returns `num_training_batches`: to the script, and to its schedules, those of no peek."""
    asker = sys._getframe(1).f_code
    asked, loader = getattr(trainer, "_plateau_asked", None), trainer.train_dataloader
    is_of_script = is_users(asker.co_filename) or asker.co_name == "estimated_stepping_batches"
    if asked is None or not is_of_script or not hasattr(loader, "__len__"):
        return shortened(trainer)
    return min(len(loader), asked) if isinstance(asked, int) else int(len(loader) * asked)


def _saving_nothing(doors: Doors, original: Callable[..., Any]) -> Callable[..., Any]:
    """Returns `save_checkpoint` without an effect: two steps are no reason to write over a finished model."""

    @functools.wraps(original)
    def save(*arguments: Any, **named: Any) -> None:
        if doors.hooks.paused:  # a tuner reads again what it saves
            original(*arguments, **named)

    return save
