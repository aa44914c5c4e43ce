"""skorch's `NeuralNet.fit`: its epochs are no loop of the script."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

from plateau_cause.capture.child.places import here

if TYPE_CHECKING:
    from plateau_cause.capture.child.main import Doors


def install(doors: Doors, module: ModuleType) -> None:
    """Puts the listener in; `skorch.net` has just been imported."""

    def begun(net: Any, x: Any, y: Any = None, epochs: int | None = None, **_: Any) -> None:
        count = net.max_epochs if epochs is None else epochs
        doors.course.plan = int(count), here()

    doors.hooks.before(module.NeuralNet, "fit_loop", begun)
    doors.hooks.after(module.NeuralNet, "fit_loop", lambda *_, **__: setattr(doors.course, "plan", None))
