"""ignite's `Engine.run`: its epochs are no loop of the script, and it begins a pass anew that ends early."""

from __future__ import annotations

import functools
import inspect
from types import ModuleType
from typing import TYPE_CHECKING, Any

from plateau_cause.capture.child.places import here

if TYPE_CHECKING:
    from plateau_cause.capture.child.main import Doors

STEPS = 2  # of an epoch in a peek


def install(doors: Doors, module: ModuleType) -> None:
    """Puts the listener in; `ignite.engine.engine` has just been imported."""
    original, signature = module.Engine.run, inspect.signature(module.Engine.run)

    @functools.wraps(original)
    def run(*arguments: Any, **named: Any) -> Any:
        given = signature.bind(*arguments, **named).arguments
        epochs = given.get("max_epochs")
        before = doors.course.plan
        if epochs:
            doors.course.plan = int(epochs), here()
        if doors.job["mode"] == "peek":
            given["epoch_length"] = STEPS if epochs else 1
        try:
            return original(**given)
        finally:
            doors.course.plan = before

    module.Engine.run = run


def install_schedules(doors: Doors, module: ModuleType) -> None:
    """Puts the listener on torch's schedules in; `ignite.handlers.param_scheduler` has just been imported.

    ignite asks them for their rates and writes these itself: their `step` is never called.
    """
    schedules = doors.stepping.schedules

    def asked(_: Any, engine: Any = None, *__: Any, **___: Any) -> None:
        event = str(getattr(engine, "last_event_name", ""))
        schedules.interval = "batch" if "iteration" in event.lower() else "epoch"

    schedules.follow_steps(module.LRScheduler, "__call__", within="lr_scheduler")
    doors.hooks.before(module.LRScheduler, "__call__", asked)
