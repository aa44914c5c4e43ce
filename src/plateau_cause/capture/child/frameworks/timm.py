"""timm: schedulers of its own, which are none of torch's."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plateau_cause.capture.child.main import Doors


def install_schedules(doors: Doors, module: ModuleType) -> None:
    """Puts the listeners on schedulers in; `timm.scheduler` has just been imported.

    A step of the other beat than the one that it counts in sets no rate, and is none.
    """
    schedules, base = doors.stepping.schedules, module.scheduler.Scheduler
    kinds = [one for one in vars(module).values() if isinstance(one, type) and issubclass(one, base)]
    for kind in kinds:
        schedules.follow_building(kind)
        schedules.follow_steps(kind, "step")  # where it has one of its own
    schedules.follow_building(base)
    schedules.follow_steps(base, "update_groups")
