"""What a replay may change in a run, one file per change; each acts at hooks and never in a file.

Nothing lists them: a file in this folder that defines `CHANGE` is an intervention, named as the file is.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from plateau_cause.capture.child.interventions.base import Intervention


def made(name: str, settings: dict[str, Any]) -> Intervention:
    """Returns an intervention by its name.

    Raises:
        ValueError: there is none of this name.
    """
    if name not in names():
        raise ValueError(f"no intervention is named {name!r}; allowed: {', '.join(names())}")
    found: Intervention = importlib.import_module(f"{__name__}.{name}").CHANGE(name, settings)
    return found


def names() -> list[str]:
    """Returns the names of all interventions."""
    return sorted(entry.name for entry in pkgutil.iter_modules(__path__) if entry.name != "base")
