"""poutyne's `Model.fit_generator`: its epochs are no loop of the script."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

from plateau_cause.capture.child.places import here

if TYPE_CHECKING:
    from plateau_cause.capture.child.main import Doors


def install(doors: Doors, module: ModuleType) -> None:
    """Puts the listener in; `poutyne.framework.model` has just been imported."""

    def begun(*_: Any, epochs: int | None = None, **__: Any) -> None:
        if epochs:
            doors.course.plan = int(epochs), here()

    doors.hooks.before(module.Model, "fit_generator", begun)
    doors.hooks.after(module.Model, "fit_generator", lambda *_, **__: setattr(doors.course, "plan", None))
