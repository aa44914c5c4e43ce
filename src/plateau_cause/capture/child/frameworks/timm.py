"""timm: a prefetcher around the loader, and schedulers that are none of torch's."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plateau_cause.capture.child.main import Doors


def install_loaders(doors: Doors, module: ModuleType) -> None:
    """Has a prefetcher stand for the loader within it; `timm.data.loader` has just been imported."""

    def built(_: None, around: Any, loader: Any, *__: Any, **___: Any) -> None:
        for one in doors.course.loaders:
            if one.loader is loader:
                one.outer = around

    doors.hooks.after(module.PrefetchLoader, "__init__", built)


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
