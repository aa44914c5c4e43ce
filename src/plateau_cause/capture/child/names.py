"""What the user's code calls an object."""

from __future__ import annotations

from types import FrameType
from typing import Any

from plateau_cause.capture.child.places import is_users


def name_in(frame: FrameType | None, wanted: Any) -> str | None:
    """Returns the expression by which the code around a frame reaches an object, such as `loaders["val"]`.

    Looks at the variables of the user's functions that are running, and one step into dicts, lists and
    the attributes of `self`; the outermost name wins, as that is what the user reads.
    """
    found = None
    while frame is not None:
        if is_users(frame.f_code.co_filename):
            found = _among(frame.f_locals, wanted) or found
        frame = frame.f_back
    return found


def _among(variables: dict[str, Any], wanted: Any) -> str | None:
    public = {name: value for name, value in variables.items() if not name.startswith("_")}
    for name, value in public.items():
        if value is wanted:
            return name
    for name, value in public.items():
        if inside := _inside(name, value, wanted):
            return inside
    return None


def _inside(name: str, value: Any, wanted: Any) -> str | None:
    if type(value) is dict:
        return next((f'{name}["{key}"]' for key, item in value.items() if item is wanted), None)
    if type(value) in (list, tuple):
        return next((f"{name}[{index}]" for index, item in enumerate(value) if item is wanted), None)
    if name == "self" or name.endswith("er"):  # trainer, learner, self
        attributes = getattr(value, "__dict__", {})
        return next((f"{name}.{key}" for key, item in attributes.items() if item is wanted), None)
    return None
