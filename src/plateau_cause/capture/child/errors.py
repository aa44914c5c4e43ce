"""What a script raised, in values."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from plateau_cause.capture.child.places import Place, is_users


def describe_error(error: BaseException) -> dict[str, Any]:
    """Returns class, message and the last line of the user's code that an error went through."""
    trace, place = error.__traceback__, None
    while trace is not None:
        if is_users(trace.tb_frame.f_code.co_filename):
            place = Place(trace.tb_frame.f_code.co_filename, trace.tb_lineno)
        trace = trace.tb_next
    return {"class": type(error).__name__, "message": " ".join(str(error).split())[:500], "place": place}


def from_user(trace: TracebackType | None) -> TracebackType | None:
    """Returns a traceback without the frames before the script's own."""
    first = trace
    while first is not None and not is_users(first.tb_frame.f_code.co_filename):
        first = first.tb_next
    return first or trace
