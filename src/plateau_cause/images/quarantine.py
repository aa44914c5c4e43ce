"""Files that cannot be used: set aside with their reason, and said where they are too many."""

from __future__ import annotations

import errno
import os
from itertools import islice

import pandas as pd

from plateau_cause.config.params import Data
from plateau_cause.errors import shown

Unreadable = list[tuple[str, str]]  # source, reason
GONE = os.strerror(errno.ENOENT)
EXAMPLES = 3


def too_many(unreadable: Unreadable, total: int, data: Data, key: str) -> str:
    """Returns the line for more unreadable files than are tolerated, "" where they are few enough.

    Args:
        unreadable: (source, reason) of each.
        total: files in all.
        data: their section of params.yaml.
        key: name of the section.
    """
    if len(unreadable) <= data.max_unreadable * total:
        return ""
    if data.source == "table" and len(unreadable) == total and all(GONE in why for _, why in unreadable):
        return (
            f"{key}.columns.image: none of the {total:,} paths in {shown(data.path)} leads to a file; "
            f"the first is looked for at {unreadable[0][0]}; "
            "allowed: paths that are absolute or relative to the table"
        )
    examples = "; ".join(f"{source}: {reason}" for source, reason in islice(unreadable, EXAMPLES))
    more = f"; and {len(unreadable) - EXAMPLES} more" if len(unreadable) > EXAMPLES else ""
    return (
        f"{key}.max_unreadable: {len(unreadable)} of {total} files ({len(unreadable) / total:.1%}) cannot be "
        f"used; allowed: a fraction of {data.max_unreadable:g}; {examples}{more}"
    )


def table(unreadable: Unreadable) -> pd.DataFrame:
    """Returns the table of what was set aside: source and reason of each."""
    return pd.DataFrame(unreadable, columns=["source", "reason"], dtype="str")
