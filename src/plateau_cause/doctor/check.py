"""What a check says."""

from __future__ import annotations

from typing import NamedTuple

OK, WARN, FAIL = "ok", "warn", "fail"


class Check(NamedTuple):
    """One finding.

    Attributes:
        status: OK; WARN: a diagnosis runs, but slower or less safely; FAIL: it stops, or loses results.
        found: what is there, in one line; several where several things are wrong.
        mend: what to do about it, in one line; empty where nothing is to be done, or `found` says it.
    """

    status: str
    found: str
    mend: str = ""
