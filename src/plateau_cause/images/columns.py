"""Which column of a table plays which role, and the text of its cells."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

import pandas as pd

from plateau_cause.config.params import Columns
from plateau_cause.errors import MistakesError
from plateau_cause.images.splits import split_name

ROLES = ("image", "label", "split", "group")
REQUIRED = ("image", "label")


def find(
    there: Sequence[str],
    columns: Columns,
    key: str,
    guesses: Mapping[str, Sequence[str]] | None = None,
    what: str = "the table",
) -> dict[str, str]:
    """Returns role -> column; split and group may be absent where their names are the defaults.

    Args:
        there: the columns of the table.
        columns: the names asked for.
        key: section of params.yaml, for messages.
        guesses: role -> columns that are taken for it where the default is not there and only one is.
        what: to call the table in messages.

    Raises:
        MistakesError: columns are not there, or several could be meant; names the columns present.
    """
    found, wrong = {}, []
    for role in ROLES:
        name = str(getattr(columns, role))
        is_default = name == getattr(Columns(), role)
        could_be = list((guesses or {}).get(role, ())) if is_default else []
        if name in there:
            found[role] = name
        elif len(could_be) == 1:
            found[role] = could_be[0]
        elif role in REQUIRED or not is_default:
            near = could_be or difflib.get_close_matches(name, there, n=1, cutoff=0.4)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            wrong.append(
                f"{key}.columns.{role}: got {name!r}, which is no column of {what}{hint}; "
                f"columns: {', '.join(there[:20]) or 'none'}"
            )
    if wrong:
        raise MistakesError(wrong)
    return found


def text(value: object) -> str | None:
    """Returns a cell as text; 3.0, which pandas makes of 3 beside a gap, is 3; blank is None."""
    if value is None or value is pd.NA or value != value:  # NaN is not equal to itself
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() or None


def splits(given: Sequence[str | None], key: str) -> list[str | None]:
    """Returns train, val, test or None for each cell of a split column.

    Raises:
        PlateauError: a name that is none of the usual ones.
    """
    known = {name: split_name(name, f"{key}.columns.split") for name in set(given) if name is not None}
    return [None if name is None else known[name] for name in given]
