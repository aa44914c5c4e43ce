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
        if epochs:
            doors.course.plan = int(epochs), here()
        if doors.job["mode"] == "peek":
            given["epoch_length"] = STEPS if epochs else 1
        return original(**given)

    module.Engine.run = run
